/**
 * `npm run torture`: what the tests of the database backends try in part, at full length, and a migration killed at every
 * step. Started by scripts/torture.mjs.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { workerdVersion } from "../bench/workerd.ts";
import type { Database } from "../packages/django-on-workers/dist/build/index.js";
import { root } from "../scripts/lib/prepare.mjs";
import { main, Refusal, say, step } from "../scripts/lib/terminal.mjs";
import { environment, pythons } from "../scripts/lib/venv.mjs";
import { buildDatabases, writeDatabaseVariables } from "../tests/support/databases.ts";
import { Killed } from "../tests/support/kills.ts";
import { forget, manage } from "../tests/support/worker.ts";

const PROPERTIES = { dates: "test_dates", values: "test_fields", migrations: "test_migrations" } as const;
const PLACES = ["python", "durable-object", "d1"] as const;
const RESULTS = join(root, "torture", "results.json");
/** What Python itself is asked to run: as `npm test -- python` does. */
const REQUIREMENTS = ["Django==6.1.*", "tzdata"];

type Place = (typeof PLACES)[number];

interface Result {
  when: string;
  machine: string;
  versions: string;
  seconds: number;
  passed: boolean;
  /** What was tried, in the words of the tests. */
  tried: string[];
  /** Of a run that did not pass: the end of its output. */
  output?: string;
}

type Outcome = Pick<Result, "passed" | "tried" | "output"> & { versions: string };

function outcome(status: number | null, output: string, versions: string): Outcome {
  const tried = [...output.matchAll(/^tried (.*)$/gm)].map(([, text]) => text as string);
  return { passed: status === 0, tried, versions, ...(status !== 0 && { output: output.slice(-2000) }) };
}

/** On this machine's newest Python, over SQLite with the limits of Workers. */
function natively(test: string): Outcome {
  const [newest] = pythons();
  if (!newest || newest.minor < 12) throw new Refusal("Django 6.1 needs Python 3.12 or later, and this machine has none.");
  const python = environment("django-6.1", REQUIREMENTS, newest.python);
  const told = spawnSync(python, ["-c", "import django, platform, sqlite3; print('CPython', platform.python_version(), 'Django', django.__version__, 'SQLite', sqlite3.sqlite_version)"], { encoding: "utf8" });
  const { status, stdout, stderr } = spawnSync(python, ["-W", "error", "-m", "unittest", `tests.db.${test}`], {
    cwd: join(root, "packages", "django-on-workers", "python"),
    env: { ...process.env, TORTURE: "1" },
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  return outcome(status, stdout + stderr, told.stdout.trim());
}

async function inWorkerd(database: Database, test: string): Promise<Outcome> {
  const build = await buildDatabases(database, `torture-${database}`);
  forget(build);
  writeDatabaseVariables(build.project.root, { TORTURE: "1" });
  const { status, stdout, stderr } = await manage(build, "test", "--noinput", `tests.db.${test}`);
  return outcome(status, stdout + stderr, `workerd ${workerdVersion} Django ${build.facts.django}`);
}

/** Kills migrations at every step in turn. */
async function kills(database: Database): Promise<Outcome> {
  const build = await buildDatabases(database, `torture-kills-${database}`);
  const killed = new Killed(build);
  const found = new Map<string, number>();
  let output: string | undefined;
  try {
    const course = await killed.course();
    for (let number = 1; ; number++) {
      const told = await killed.check(number, course);
      if (told === undefined) break;
      say(`${database}, ${told.step}: ${told.found}`);
      found.set(told.found, (found.get(told.found) ?? 0) + 1);
    }
  } catch (error) {
    output = String(error);
  } finally {
    killed.remove();
  }
  const tried = [...found].map(([state, count]) => `${count} kills left ${state}`);
  const versions = `workerd ${workerdVersion} Django ${build.facts.django}`;
  return { passed: output === undefined, tried, versions, ...(output !== undefined && { output }) };
}

function record(title: string, result: Result): void {
  const results = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, "utf8")) as Record<string, Result>) : {};
  results[title] = result;
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
}

async function run(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options: { place: { type: "string", multiple: true, default: [...PLACES] } } });
  const names = positionals.length > 0 ? positionals : [...Object.keys(PROPERTIES), "kills"];
  const unknown = [...names.filter((name) => name !== "kills" && !Object.hasOwn(PROPERTIES, name)), ...values.place.filter((place) => !PLACES.includes(place as Place))];
  if (unknown.length > 0) throw new Refusal(`There is no ${unknown.join(", ")}; there are ${Object.keys(PROPERTIES).join(", ")} and kills, and the places ${PLACES.join(", ")}.`);
  let failed = 0;
  for (const name of names) {
    for (const place of values.place as Place[]) {
      if (name === "kills" && place === "python") continue;
      const title = `${name} on ${place}`;
      step(title);
      const started = performance.now();
      const test = PROPERTIES[name as keyof typeof PROPERTIES];
      const { versions, ...found } = await (name === "kills" ? kills(place as Database) : place === "python" ? natively(test) : inWorkerd(place, test));
      record(title, {
        when: new Date().toISOString().slice(0, 10),
        machine: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
        versions,
        seconds: Math.round((performance.now() - started) / 1000),
        ...found,
      });
      if (!found.passed) failed++;
      say(`${found.passed ? "passed" : "FAILED"}: ${found.tried.join("; ")}${found.output ? `\n${found.output}` : ""}`);
    }
  }
  return failed > 0 ? 1 : 0;
}

await main(() => run(process.argv.slice(2)));
