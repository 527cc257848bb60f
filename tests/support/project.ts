/** Projects that the tests build: copied to a folder outside git, which keeps its cache from one run to the next. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
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

function share(from: string, to: string): void {
  if (!existsSync(from)) return;
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    if (!SHARED.test(name) || existsSync(join(to, name))) continue;
    // Links, for thousands of files that nobody writes to. Under its name it is whole: somebody else may be looking.
    const draft = join(to, `${name}.${process.pid}.draft`);
    const linked = spawnSync("cp", ["-al", join(from, name), draft]).status === 0;
    if (!linked) cpSync(join(from, name), draft, { recursive: true });
    if (existsSync(join(to, name))) rmSync(draft, { recursive: true });
    else renameSync(draft, join(to, name));
  }
}

const cacheOf = (folder: string): string => join(folder, ".django-on-workers", "cache");

export const takeShared = (folder: string): void => share(pool, cacheOf(folder));
export const giveShared = (folder: string): void => share(cacheOf(folder), pool);

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
