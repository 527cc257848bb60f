/** Projects that the tests build: copied to a folder outside git, which keeps its cache from one run to the next. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Build, type BuildOptions } from "../../packages/django-on-workers/dist/build/index.js";

export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/[\\/]$/, "");
export const work = join(root, "tests", ".work");
export const cli = join(root, "packages", "django-on-workers", "bin", "django-on-workers.mjs");

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** The first folder that no other process has: files of tests run side by side, and take over what earlier ones have built. */
function ownFolder(): string {
  mkdirSync(work, { recursive: true });
  for (let number = 1; ; number++) {
    const folder = join(work, `projects-${number}`);
    const owner = `${folder}.pid`;
    if (existsSync(owner) && !isAlive(Number(readFileSync(owner, "utf8")))) rmSync(owner, { force: true });
    try {
      writeFileSync(owner, String(process.pid), { flag: "wx" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      continue;
    }
    process.once("exit", () => rmSync(owner, { force: true }));
    return folder;
  }
}

let own: string | undefined;
const folderOf = (label: string): string => join((own ??= ownFolder()), label);

/** What a build writes into a project: kept, as it would be in a user's. */
const KEPT = new Set([".django-on-workers"]);

/** A fresh copy of a folder of tests/projects/, or of any other; local data of an earlier run are gone. */
export function copyProject(name: string, label = name, source = join(root, "tests", "projects", name)): string {
  const folder = folderOf(label);
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder)) if (!KEPT.has(entry)) rmSync(join(folder, entry), { recursive: true, force: true });
  cpSync(source, folder, {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !/[\\/](?:\.django-on-workers|\.wrangler|__pycache__|staticfiles)(?:[\\/]|$)/.test(path.slice(source.length)),
  });
  takeShared(folder);
  return folder;
}

/** An empty folder for a project that the test itself writes. */
export function emptyProject(label: string): string {
  const folder = folderOf(label);
  mkdirSync(folder, { recursive: true });
  for (const entry of readdirSync(folder)) if (!KEPT.has(entry)) rmSync(join(folder, entry), { recursive: true, force: true });
  takeShared(folder);
  return folder;
}

/** Results that do not depend on the project: packages are installed and compiled once for all of them. */
const SHARED = /^(?:packages|bytecode|base|pyodide|stdlib(?:-sources)?)-[0-9a-f]{32}$/;
const pool = join(work, "pool");

const cacheOf = (folder: string): string => join(folder, ".django-on-workers", "cache");

/** Links what is shared into a project's cache: nobody writes to it, and packages are thousands of files. */
export function takeShared(folder: string): void {
  const cache = cacheOf(folder);
  for (const path of [pool, cache]) mkdirSync(path, { recursive: true });
  // Links to what somebody has deleted there: a build could not put anything in their place.
  for (const name of readdirSync(cache)) if (!existsSync(join(cache, name))) rmSync(join(cache, name));
  for (const name of readdirSync(pool)) {
    if (SHARED.test(name) && !existsSync(join(cache, name))) symlinkSync(join(pool, name), join(cache, name));
  }
}

/** Moves what can be shared out of a project's cache, and leaves links. */
export function giveShared(folder: string): void {
  const cache = cacheOf(folder);
  mkdirSync(pool, { recursive: true });
  for (const name of readdirSync(cache)) {
    const [here, shared] = [join(cache, name), join(pool, name)];
    if (!SHARED.test(name) || existsSync(shared)) continue;
    try {
      renameSync(here, shared);
    } catch (error) {
      // Another process was faster, with the same.
      if (!existsSync(shared)) throw error;
      continue;
    }
    symlinkSync(shared, here);
  }
}

export interface Recorded {
  steps: string[];
  warnings: string[];
}

export interface Options extends Omit<BuildOptions, "root" | "progress"> {
  recorded?: Recorded;
}

/** Builds quickly packed, and notes the steps that were taken. */
export async function buildProject(folder: string, { recorded, ...options }: Options = {}): Promise<Build> {
  const built = await build({
    level: 1,
    ...options,
    root: folder,
    progress: {
      step: (text) => void recorded?.steps.push(text),
      warn: (text) => void recorded?.warnings.push(text),
    },
  });
  giveShared(folder);
  return built;
}

/** Every file below a folder, as its absolute path. */
export function* filesBelow(folder: string): Generator<string> {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) yield* filesBelow(path);
    else yield path;
  }
}
