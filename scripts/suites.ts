/** Runs the suites that are named, or all of them, and ends with their totals. Started by test.mjs. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { root } from "./lib/prepare.mjs";
import { main, paint, Refusal, say } from "./lib/terminal.mjs";
import { environment, pythons } from "./lib/venv.mjs";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const RUFF = "ruff==0.17.*";
const LTS = "Django==5.2.*";
/** Needs Python 3.12. */
const NEWEST = "Django==6.1.*";
/** What the tests of the database backends run on besides Django. */
const PYTHON_TESTS = ["tzdata"];

const scratch = mkdtempSync(join(tmpdir(), "django-on-workers-"));

function command(title: string, program: string, args: string[], cwd = root): Counts {
  say(paint(36, `› ${title}`));
  const { status, error } = spawnSync(program, args, { cwd, stdio: "inherit" });
  if (error) say(String(error));
  return status === 0 ? { passed: 1, failed: 0, skipped: 0 } : { passed: 0, failed: 1, skipped: 0 };
}

function sum(all: Counts[]): Counts {
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { passed, failed, skipped } of all) {
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped;
  }
  return total;
}

function types(): Counts {
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  const projects = ["packages/django-on-workers/tsconfig.node.json", "packages/django-on-workers/tsconfig.worker.json", "tsconfig.json"];
  return sum(projects.map((project) => command(`types of ${project}`, process.execPath, [tsc, "--noEmit", "-p", project])));
}

function lint(): Counts {
  const ruff = environment("ruff", [RUFF]);
  const oxlint = join(root, "node_modules", "oxlint", "bin", "oxlint");
  return sum([
    command("oxlint", process.execPath, [oxlint, "--deny-warnings"]),
    command("ruff check", ruff, ["-m", "ruff", "check", "--quiet"]),
    command("ruff format", ruff, ["-m", "ruff", "format", "--check", "--quiet"]),
    command("docs/conformance.md", process.execPath, [join(root, "conformance", "report.ts")]),
  ]);
}

/**
 * Files of node:test, three at a time: the machine may have two cores, but many a test waits, for the platform's limits or
 * for a process. `first` names those that take minutes: begun last, one of them would run on alone.
 */
function nodeTests(pattern: string, first: readonly string[] = []): Counts {
  const isLater = (path: string): number => Number(!first.includes(basename(path, ".test.ts")));
  const files = globSync(pattern, { cwd: root }).sort().sort((a, b) => isLater(a) - isLater(b));
  if (files.length === 0) throw new Error(`There are no tests ${pattern}.`);
  const missing = first.find((name) => !files.some((path) => basename(path, ".test.ts") === name));
  if (missing !== undefined) throw new Error(`There is no ${missing} among the tests ${pattern}.`);
  const output = join(scratch, "counts.json");
  rmSync(output, { force: true });
  const reporters = [
    ["--test-reporter=spec", "--test-reporter-destination=stdout"],
    [`--test-reporter=${join(root, "scripts", "lib", "counts.mjs")}`, `--test-reporter-destination=${output}`],
  ].flat();
  spawnSync(process.execPath, ["--test", "--test-concurrency=3", ...reporters, ...files], { cwd: root, stdio: "inherit" });
  if (!existsSync(output)) return { passed: 0, failed: 1, skipped: 0 };
  const { passed, failed, cancelled, skipped, todo } = JSON.parse(readFileSync(output, "utf8")) as Record<string, number>;
  return { passed: passed ?? 0, failed: (failed ?? 0) + (cancelled ?? 0), skipped: (skipped ?? 0) + (todo ?? 0) };
}

/** What they print comes when they have ended: they run side by side. */
async function pythonTests(name: string, requirements: string[], interpreter?: string): Promise<Counts> {
  const python = environment(name, [...requirements, ...PYTHON_TESTS], interpreter);
  const output = join(scratch, `${name}.json`);
  rmSync(output, { force: true });
  const script = join(root, "scripts", "lib", "python_tests.py");
  const child = spawn(python, ["-X", "dev", "-W", "error", script, join(root, "packages", "django-on-workers", "python"), output], { cwd: root });
  const printed: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece: Buffer) => printed.push(piece));
  await once(child, "close");
  say(paint(36, `› Python tests with ${name}`));
  process.stderr.write(Buffer.concat(printed));
  return existsSync(output) ? (JSON.parse(readFileSync(output, "utf8")) as Counts) : { passed: 0, failed: 1, skipped: 0 };
}

async function python(): Promise<Counts> {
  const [newest] = pythons();
  const running = [pythonTests("django-5.2", [LTS])];
  if (newest && newest.minor >= 12) running.push(pythonTests("django-6.1", [NEWEST], newest.python));
  const results = await Promise.all(running);
  if (running.length === 1) {
    say("skipped: Python tests with Django 6.1: they need Python 3.12 or later, and this machine has none.");
    results.push({ passed: 0, failed: 0, skipped: 1 });
  }
  return sum(results);
}

const SUITES: Record<string, () => Counts | Promise<Counts>> = {
  types,
  lint,
  unit: () => nodeTests("packages/django-on-workers/test/**/*.test.ts"),
  python,
  integration: () => {
    command("Building what the test projects share", process.execPath, [join(root, "tests", "support", "shared.ts")]);
    return nodeTests("tests/integration/*.test.ts", ["databases", "django", "manage", "secrets", "variables"]);
  },
  e2e: () => nodeTests("tests/e2e/*.test.ts"),
  browser: () => nodeTests("tests/browser/*.test.ts"),
};

async function run(args: string[]): Promise<number> {
  if (args.includes("--screenshots")) process.env["SCREENSHOTS"] = "1";
  const names = args.filter((argument) => argument !== "--screenshots");
  const unknown = names.find((name) => !Object.hasOwn(SUITES, name));
  if (unknown !== undefined) throw new Refusal(`There is no suite ${unknown}; there are ${Object.keys(SUITES).join(", ")}.`);
  const chosen = names.length > 0 ? names : Object.keys(SUITES);
  const results: [name: string, counts: Counts, seconds: number][] = [];
  for (const name of chosen) {
    say(`\n${paint(1, name)}`);
    const start = performance.now();
    const counts = await (SUITES[name] as (typeof SUITES)[string])();
    results.push([name, counts, (performance.now() - start) / 1000]);
  }
  say("");
  for (const [name, { passed, failed, skipped }, seconds] of results) {
    say(`${name.padEnd(12)} ${passed} passed, ${failed} failed, ${skipped} skipped, ${seconds.toFixed(0)} s`);
  }
  const { passed, failed, skipped } = sum(results.map(([, counts]) => counts));
  process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
  return failed > 0 ? 1 : 0;
}

await main(async () => {
  try {
    return await run(process.argv.slice(2));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
