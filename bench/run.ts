/** The measurements of `npm run bench`: both sides of each ratio in one run, in turns. */
import { appendFileSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build, type Build, type Database } from "../packages/django-on-workers/dist/build/index.js";
import { manage } from "../packages/django-on-workers/dist/build/local.js";
import { root } from "../scripts/lib/prepare.mjs";
import { main, step } from "../scripts/lib/terminal.mjs";
import { d1Loops, objectAndNative, OPERATIONS, reset, type Operation } from "./databases.ts";
import { djangoFor, loopNative, newestPython, prepareNative, startNative, type Loop, type Native } from "./native.ts";
import type { Server } from "./server.ts";
import { coldExample, coldParts, coldTrivial, loopHere, startWorkerd, workerdVersion, type ColdParts } from "./workerd.ts";

const HOME = "/";
/** The pages, and how many requests make one measurement: so many that the one which asks for them does not count. */
const PAGES = { trivial: ["/robots.txt", 1500], list: [HOME, 80], admin: ["/admin/login/", 240] } as const;
type Page = keyof typeof PAGES;
/** Measurements of each side; the median counts. */
const ROUNDS = 7;
const COLD_ROUNDS = 7;
/** Of D1, which takes longest with garbage: short turns and many, so that it falls to all sides alike. */
const D1_ROUNDS = 21;

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] as number) : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
};
const round = (value: number, digits = 3): number => Number(value.toFixed(digits));

interface Pair {
  here: number;
  there: number;
  ratio: number;
}

type Measure = () => Promise<number> | number;

/** Measures in turns: what slows the machine down meanwhile slows them all. A ratio is that of each turn. */
async function pairs(rounds: number, here: Measure, others: readonly Measure[]): Promise<Pair[]> {
  const turns: { ours: number; theirs: number[] }[] = [];
  for (let i = 0; i < rounds; i++) {
    const ours = await here();
    const theirs: number[] = [];
    for (const there of others) theirs.push(await there());
    turns.push({ ours, theirs });
  }
  return others.map((_, index) => ({
    here: median(turns.map(({ ours }) => ours)),
    there: median(turns.map(({ theirs }) => theirs[index] as number)),
    ratio: median(turns.map(({ ours, theirs }) => ours / (theirs[index] as number))),
  }));
}

const pair = async (rounds: number, here: Measure, there: Measure): Promise<Pair> => (await pairs(rounds, here, [there]))[0] as Pair;

async function buildTimes(folder: string, requirement: string): Promise<{ built: Build; seconds: Record<"cold" | "unchanged" | "one_view", number> }> {
  writeFileSync(join(folder, "requirements.txt"), `${requirement}\n`);
  const timed = async (): Promise<[Build, number]> => {
    const started = performance.now();
    const built = await build({ root: folder, database: "durable-object" satisfies Database });
    return [built, (performance.now() - started) / 1000];
  };
  step("Building the example from nothing");
  const [, cold] = await timed();
  step("Building it again, unchanged and with one changed view");
  const unchanged = median([(await timed())[1], (await timed())[1], (await timed())[1]]);
  const views: number[] = [];
  for (let i = 0; i < 3; i++) {
    appendFileSync(join(folder, "blog", "views.py"), `\n# ${i}\n`);
    views.push((await timed())[1]);
  }
  const [built] = await timed();
  return { built, seconds: { cold: round(cold, 1), unchanged: round(unchanged, 2), one_view: round(median(views), 2) } };
}

async function fill(built: Build): Promise<void> {
  step("Filling its database");
  const output = { stdout: () => undefined, stderr: () => undefined };
  for (const argv of [["migrate", "--verbosity", "0"], ["loaddata", "demo"]]) {
    if ((await manage(built, argv, output)) !== 0) throw new Error(`manage ${argv.join(" ")} failed.`);
  }
}

/** Seconds for `count` requests in a row at one connection. */
async function overHttp(origin: string, path: string, count: number): Promise<number> {
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const response = await fetch(`${origin}${path}`, { headers: { accept: "text/html" } });
    await response.arrayBuffer();
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
  }
  return (performance.now() - started) / 1000;
}

/** Starts in turns with each of the two others, and where the time of one goes. */
async function coldStart(built: Build, native: Native, scratch: string) {
  step("Cold starts");
  const example = coldExample(built, scratch);
  const trivial = coldTrivial(scratch);
  const once = (start: () => Promise<Server>) => async (): Promise<number> => {
    const { seconds, stop } = await start();
    await stop();
    return seconds;
  };
  const here = once(() => startWorkerd(example, HOME));
  const there = once(() => startNative(native, HOME));
  await here();
  await there();
  const vsCpython = await pair(COLD_ROUNDS, here, there);
  const vsTrivial = await pair(COLD_ROUNDS, here, once(() => startWorkerd(trivial, "/")));
  const runs: ColdParts[] = [];
  for (let i = 0; i < COLD_ROUNDS; i++) runs.push(await coldParts(built, scratch));
  const part = (name: keyof ColdParts): number => round(median(runs.map((found) => found[name])));
  const parts = {
    process_and_modules: part("process_and_modules"),
    module: part("module"),
    image: part("image"),
    bootstrap: part("bootstrap"),
  };
  const before = Object.values(parts).reduce((sum, seconds) => sum + seconds, 0);
  return { vsCpython, vsTrivial, parts: { ...parts, first_request: round(vsCpython.here - before) } };
}

async function hot(built: Build, native: Native) {
  const here = await loopHere(built);
  const there = loopNative(native);
  const results = {} as Record<Page, Pair>;
  const memory: Record<string, number> = {};
  try {
    step("Linear memory over 5,000 requests");
    memory["100"] = await here.memory(HOME, 100);
    memory["1000"] = await here.memory(HOME, 900);
    memory["5000"] = await here.memory(HOME, 4000);
    for (const [page, [path, count]] of Object.entries(PAGES) as [Page, readonly [string, number]][]) {
      step(`Hot requests in process: ${page}`);
      await here.measure(path, count * 2);
      await there.measure(path, count);
      const found = await pair(ROUNDS, () => here.measure(path, count), () => there.measure(path, count));
      results[page] = { here: found.here / count, there: found.there / count, ratio: found.ratio };
    }
  } finally {
    await here.stop();
    await there.stop();
  }
  return { results, memory };
}

async function hotOverHttp(built: Build, native: Native, scratch: string): Promise<Record<Page, Pair>> {
  const here = await startWorkerd(coldExample(built, scratch), HOME);
  const there = await startNative(native, HOME);
  const results = {} as Record<Page, Pair>;
  try {
    for (const [page, [path, count]] of Object.entries(PAGES) as [Page, readonly [string, number]][]) {
      step(`Hot requests over HTTP: ${page}`);
      await overHttp(here.origin, path, count * 3);
      await overHttp(there.origin, path, count);
      const found = await pair(ROUNDS, () => overHttp(here.origin, path, count), () => overHttp(there.origin, path, count));
      results[page] = { here: found.here / count, there: found.there / count, ratio: found.ratio };
    }
  } finally {
    await here.stop();
    await there.stop();
  }
  return results;
}

/** Pairs for each operation; before each measurement the database is as it was. */
async function eachOperation(
  title: string,
  rounds: number,
  here: Loop,
  others: readonly Loop[],
  clean: readonly Loop[],
  note: (path: string) => Promise<void> = async () => undefined,
) {
  const results = {} as Record<Operation, Pair[]>;
  for (const [operation, path] of Object.entries(OPERATIONS) as [Operation, string][]) {
    step(`${title}: ${operation}`);
    const once = (loop: Loop) => async (): Promise<number> => {
      for (const each of clean) await reset(each);
      return loop.measure(path, 1);
    };
    for (const each of clean) await reset(each);
    await note(path);
    for (const loop of [here, ...others, here, ...others]) await once(loop)();
    results[operation] = await pairs(rounds, once(here), others.map(once));
  }
  return results;
}

async function databases(scratch: string, requirement: string) {
  step("Preparing the databases");
  const { here, there } = await objectAndNative(scratch, requirement);
  const object = await eachOperation("Durable Object and native SQLite", ROUNDS, here, [there], [here, there]).finally(async () => {
    await here.stop();
    await there.stop();
  });
  const { orm, cursor, all, raw, note } = await d1Loops(scratch, requirement);
  const d1 = await eachOperation("D1 by a cursor and by JavaScript", D1_ROUNDS, cursor, [all, raw], [orm], note).finally(() => orm.stop());
  const nth = (results: Record<Operation, Pair[]>, index: number) => over(results, (found) => found[index] as Pair);
  return { object: nth(object, 0), d1All: nth(d1, 0), d1Raw: nth(d1, 1) };
}

const milliseconds = ({ here, there, ratio }: Pair) => ({ ms: round(here * 1000), native_ms: round(there * 1000), ratio: round(ratio, 2) });

const over = <Key extends string, Value, Result>(record: Record<Key, Value>, change: (value: Value) => Result): Record<Key, Result> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value as Value)])) as Record<Key, Result>;

async function run(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: "string" } } });
  const scratch = mkdtempSync(join(tmpdir(), "django-on-workers-bench-"));
  try {
    const { program, version } = newestPython();
    const requirement = djangoFor(version);
    step(`Preparing native CPython ${version.join(".")} (${program}) with ${requirement}`);
    const original = join(root, "examples", "blog");
    const folder = join(scratch, "blog");
    cpSync(original, folder, { recursive: true, filter: (path) => !/[\\/](?:\.django-on-workers|\.wrangler|__pycache__|staticfiles)$|\.sqlite3$/.test(path) });
    const native = prepareNative(folder, scratch, requirement, [["migrate"], ["loaddata", "demo"], ["collectstatic", "--noinput"]]);
    const { built, seconds } = await buildTimes(folder, requirement);
    await fill(built);
    const cold = await coldStart(built, native, scratch);
    const inProcess = await hot(built, native);
    const http = await hotOverHttp(built, native, scratch);
    const { object, d1All, d1Raw } = await databases(scratch, requirement);
    const { version: packageVersion } = JSON.parse(readFileSync(join(root, "packages", "django-on-workers", "package.json"), "utf8")) as { version: string };
    const result = {
      date: new Date().toISOString().slice(0, 10),
      machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, memory_gib: Math.round(totalmem() / 2 ** 30) },
      versions: {
        "django-on-workers": packageVersion,
        django: built.facts.django,
        native_django: native.django,
        native_cpython: native.python,
        pyodide: built.manifest.pyodide,
        workerd: workerdVersion,
      },
      ratios: {
        cold_start_vs_cpython: round(cold.vsCpython.ratio),
        cold_start_vs_trivial_worker: round(cold.vsTrivial.ratio, 1),
        hot_trivial_vs_cpython: round(inProcess.results.trivial.ratio),
        hot_list_vs_cpython: round(inProcess.results.list.ratio),
        hot_admin_vs_cpython: round(inProcess.results.admin.ratio),
      },
      database_ratios: {
        durable_object_vs_cpython_sqlite: over(object, ({ ratio }) => round(ratio, 2)),
        d1_vs_javascript: over(d1All, ({ ratio }) => round(ratio, 2)),
        d1_vs_javascript_raw: over(d1Raw, ({ ratio }) => round(ratio, 2)),
      },
      cold_start_seconds: {
        here: round(cold.vsCpython.here),
        native_cpython: round(cold.vsCpython.there),
        trivial_worker: round(cold.vsTrivial.there),
        parts: cold.parts,
      },
      in_process: Object.fromEntries(Object.entries(inProcess.results).map(([page, found]) => [page, milliseconds(found)])),
      databases: {
        durable_object: over(object, milliseconds),
        d1_statements: Object.fromEntries(
          Object.entries(d1All).map(([operation, { here, there }]) => [
            operation,
            { ms: round(here * 1000), javascript_ms: round(there * 1000), javascript_raw_ms: round(d1Raw[operation as Operation].there * 1000) },
          ]),
        ),
      },
      over_http: Object.fromEntries(Object.entries(http).map(([page, found]) => [page, milliseconds(found)])),
      upload_bytes: built.sizes.total,
      sizes: built.sizes,
      linear_memory_bytes: inProcess.memory,
      build_seconds: seconds,
    };
    const text = `${JSON.stringify(result, null, 2)}\n`;
    if (values.json) writeFileSync(values.json, text);
    process.stdout.write(text);
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

await main(run);
