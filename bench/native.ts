/** Native CPython: which one, with what installed, and talking to native.py. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startServer, type Server } from "./server.ts";

const PROGRAM = fileURLToPath(new URL("native.py", import.meta.url));
/** What Django 6.1 needs; an older Python has Django 5.2. */
const FOR_NEWEST_DJANGO = [3, 12] as const;

export interface Native {
  /** `3.13.0` */
  python: string;
  django: string;
  program: string;
  folder: string;
}

function versionOf(program: string): [number, number, number] | undefined {
  const found = spawnSync(program, ["-c", "import sys; print(*sys.version_info[:3])"], { encoding: "utf8" });
  if (found.status !== 0) return undefined;
  const [major = 0, minor = 0, micro = 0] = found.stdout.trim().split(" ").map(Number);
  return [major, minor, micro];
}

/** The newest CPython of this machine, on the path or among pyenv's. */
export function newestPython(): { program: string; version: [number, number, number] } {
  const pyenv = join(homedir(), ".pyenv", "versions");
  const programs = [
    ...(existsSync(pyenv) ? readdirSync(pyenv).map((name) => join(pyenv, name, "bin", "python3")) : []),
    ...["python3.15", "python3.14", "python3.13", "python3.12", "python3.11", "python3"],
  ];
  const found = programs.flatMap((program) => {
    const version = versionOf(program);
    return version ? [{ program, version }] : [];
  });
  found.sort((a, b) => b.version[0] - a.version[0] || b.version[1] - a.version[1] || b.version[2] - a.version[2]);
  const newest = found[0];
  if (!newest) throw new Error("There is no CPython on this machine to compare with.");
  return newest;
}

/** The Django that both sides run: the example's own, or 5.2 where every Python is too old for it. */
export function djangoFor([major, minor]: readonly [number, number, number]): string {
  return major > FOR_NEWEST_DJANGO[0] || minor >= FOR_NEWEST_DJANGO[1] ? "Django==6.1.*" : "Django==5.2.*";
}

function run(program: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: "utf8" });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`);
  return stdout;
}

/** A copy of a project with an environment of its own, after these management commands. */
export function prepareNative(project: string, scratch: string, requirement: string, commands: readonly string[][]): Native {
  const { program, version } = newestPython();
  const environment = join(scratch, "venv");
  const python = join(environment, "bin", "python");
  if (!existsSync(environment)) {
    run(program, ["-m", "venv", environment], scratch);
    run(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement, "tzdata"], scratch);
  }
  const folder = join(scratch, `native-${basename(project)}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(project, folder, { recursive: true, filter: (path) => !/[\\/](?:\.django-on-workers|\.wrangler|__pycache__)$|\.sqlite3$/.test(path) });
  for (const command of commands) run(python, ["manage.py", ...command, "--verbosity", "0"], folder);
  const django = run(python, ["-c", "import django; print(django.__version__)"], folder).trim();
  return { python: version.join("."), django, program: python, folder };
}

const APPLICATION = "config.wsgi:application";

/** Starts it behind the standard library's HTTP server. Resolves when it answers `path` with 200. */
export const startNative = ({ program, folder }: Native, path: string): Promise<Server> =>
  startServer({ program, args: (port) => [PROGRAM, "http", APPLICATION, String(port)], cwd: folder }, path);

interface Running {
  child: ChildProcess;
  line(): Promise<unknown>;
}

function start(native: Native, what: string): Running {
  const child = spawn(native.program, [PROGRAM, what, APPLICATION], { cwd: native.folder, stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })[Symbol.asyncIterator]();
  return {
    child,
    async line() {
      const { value, done } = await lines.next();
      if (done) throw new Error("native.py ended before it answered.");
      return JSON.parse(value as string);
    },
  };
}

export interface Loop {
  /** Seconds for `count` requests of `path`. */
  measure(path: string, count: number): Promise<number>;
  stop(): Promise<void> | void;
}

export function loopNative(native: Native): Loop {
  const { child, line } = start(native, "serve");
  return {
    async measure(path, count) {
      child.stdin?.write(`${JSON.stringify({ path, count })}\n`);
      return ((await line()) as { seconds: number }).seconds;
    },
    stop: () => void child.kill(),
  };
}
