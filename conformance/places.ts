/** Where the suite runs: inside workerd, or natively. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { digest } from "../packages/django-on-workers/dist/build/cache.js";
import type { Build } from "../packages/django-on-workers/dist/build/index.js";
import { manage } from "../packages/django-on-workers/dist/build/local.js";
import { environment, pythons } from "../scripts/lib/venv.mjs";
import { EXTRAS, pythonsOf, runner, sdist } from "./suite.ts";

/** What a process is to run. */
export interface Task {
  labels: readonly string[];
  /** Patterns of tests that are not run. */
  leftOut: readonly string[];
  /** Tests that have an outcome already. */
  done: readonly string[];
}

/** A line that the runner writes, see project/conformance_runner/recording.py. */
export interface Entry {
  found?: string[];
  started?: string;
  test?: string;
  fixture?: string;
  outcome?: Outcome;
  reason?: string;
  ended?: true;
}

export type Outcome = "passed" | "failed" | "error" | "skipped" | "expected_failure" | "unexpected_success";

export interface Place {
  /** For people: `Durable Object`, `CPython 3.13 with its SQLite`. */
  name: string;
  /** Stands for everything that outcomes depend on, but for the labels and what is left out. */
  key: string;
  /** Runs one process, and gives each record as it comes. Resolves with the rest of the output. */
  run(task: Task, take: (entry: Entry) => void, signal: AbortSignal): Promise<string>;
}

const SEPARATOR = "\u001e";
/** Characters of the output that are kept, from its end. */
const TAIL = 3000;

/** Takes pieces of the output apart into records and the rest. */
class Reader {
  #line = "";
  #rest = "";
  readonly #take: (entry: Entry) => void;

  constructor(take: (entry: Entry) => void) {
    this.#take = take;
  }

  get rest(): string {
    return this.#rest;
  }

  readonly write = (text: string): void => {
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.line(line);
  };

  readonly line = (line: string): void => {
    // A test may have written something without ending the line.
    const start = line.indexOf(SEPARATOR);
    if (start < 0) this.other(`${line}\n`);
    else this.#take(JSON.parse(line.slice(start + 1)) as Entry);
  };

  readonly other = (text: string): void => {
    this.#rest = (this.#rest + text).slice(-TAIL);
  };
}

const argvOf = ({ labels, leftOut, done }: Task): string[] => [...labels, "--left-out", JSON.stringify(leftOut), "--done", JSON.stringify(done)];

/** Inside workerd: a process of its own for each call, with data of its own. */
export function inWorkerd(build: Build, name: string, ...options: string[]): Place {
  return {
    name,
    key: digest(build.manifest.buildId, ...options),
    async run(task, take, signal) {
      const state = mkdtempSync(join(tmpdir(), "django-on-workers-conformance-"));
      const reader = new Reader(take);
      try {
        await manage(build, ["test", ...argvOf(task), ...options], { stdout: reader.write, stderr: reader.other, state, signal });
      } catch (error) {
        reader.other(`${String(error)}\n`);
      } finally {
        rmSync(state, { recursive: true, force: true });
      }
      return reader.rest;
    },
  };
}

/** The newest CPython of this machine that the release supports, with its own SQLite; nothing where there is none. */
export async function natively(release: string): Promise<Place | undefined> {
  const supported = await pythonsOf(release);
  const found = pythons().find(({ minor }) => supported.includes(minor));
  if (!found) return undefined;
  const python = environment(`conformance-${release}`, [`Django==${release}`, ...EXTRAS], found.python);
  const tests = join(await sdist(release), "tests");
  const sources = readdirSync(runner, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".py"));
  return {
    name: `CPython 3.${found.minor}`,
    key: digest(release, `3.${found.minor}`, ...sources.toSorted().flatMap((path) => [path, readFileSync(join(runner, path))])),
    run(task, take, signal) {
      const temporary = mkdtempSync(join(tmpdir(), "django-on-workers-conformance-"));
      mkdirSync(temporary, { recursive: true });
      const child = spawn(python, ["-W", "ignore", join(runner, "manage.py"), "test", ...argvOf(task)], {
        cwd: tests,
        env: { ...process.env, PYTHONPATH: tests, PYTHONDONTWRITEBYTECODE: "1", TMPDIR: temporary },
        stdio: ["ignore", "pipe", "pipe"],
        signal,
        killSignal: "SIGKILL",
      });
      const reader = new Reader(take);
      createInterface({ input: child.stdout }).on("line", reader.line);
      child.stderr.setEncoding("utf8").on("data", reader.other);
      return new Promise((resolve) => {
        child.on("error", (error) => reader.other(`${String(error)}\n`));
        child.on("close", () => {
          rmSync(temporary, { recursive: true, force: true });
          resolve(reader.rest);
        });
      });
    },
  };
}
