/** `npm run conformance`: Django's own test suite, inside workerd and natively. Started by scripts/conformance.mjs. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { workerdVersion } from "../bench/workerd.ts";
import type { Build, Database } from "../packages/django-on-workers/dist/build/index.js";
import { version } from "../packages/django-on-workers/dist/build/modules.js";
import { main, Refusal, say, step } from "../scripts/lib/terminal.mjs";
import { regressions, SLICE } from "./check.ts";
import { exclusions, isWholeApp, patternsFor } from "./patterns.ts";
import { inWorkerd, natively, type Place } from "./places.ts";
import { committed, resultsFolder, writeReport } from "./report.ts";
import { compare, count, failing, type Counts, type Results } from "./results.ts";
import { appsOf, buildSuite, newestRelease, sizesOf } from "./suite.ts";
import { unit, unitsOf, type UnitResult } from "./units.ts";

const NAMES: Record<Database, string> = { "durable-object": "Durable Object", d1: "D1" };
const SERIES = ["5.2", "6.0", "6.1"];
const INTERPRETER = "Django's SQLite backend inside workerd";

const isDatabase = (name: string | undefined): name is Database => name !== undefined && Object.hasOwn(NAMES, name);
const clock = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Runs the labels at each place, so many processes at a time; a line tells of each unit as it ends. */
async function runAll(places: readonly Place[], release: string, labels: readonly string[], shards: number): Promise<Map<Place, UnitResult[]>> {
  const excluded = exclusions();
  const units = unitsOf(labels.filter((label) => !isWholeApp(label, excluded)), await sizesOf(release));
  const waiting = places.flatMap((place) => units.map(({ apps, labels }) => ({ place, apps, labels })));
  const all = waiting.length;
  const results = new Map<Place, UnitResult[]>(places.map((place) => [place, []]));
  const started = performance.now();
  let ended = 0;
  const shard = async (): Promise<void> => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const { place, apps, labels } = job;
      const { result, kept } = await unit(place, labels, apps.flatMap((app) => patternsFor(app, excluded)));
      results.get(place)?.push(result);
      const { found, passed, failed, errors } = count([result]);
      const progress = `${String(++ended).padStart(String(all).length)}/${all} ${clock((performance.now() - started) / 1000)}`;
      say(`${progress}  ${apps.length > 1 ? `${apps[0]} … ${apps.at(-1)}` : apps[0]}, ${place.name}: ${found} found, ${passed} passed, ${failed} failed, ${errors} errors, ${kept ? "kept" : `${result.seconds} s`}`);
    }
  };
  await Promise.all(Array.from({ length: shards }, shard));
  return results;
}

async function conform(build: Build, database: Database, labels: string[], interpreter: boolean, shards: number): Promise<Results> {
  const release = build.facts.django;
  const here = inWorkerd(build, NAMES[database]);
  const native = await natively(release);
  const inside = interpreter ? inWorkerd(build, INTERPRETER, "--stock-sqlite") : undefined;
  const control = native ?? inside;
  if (!control) throw new Refusal(`This machine has no Python that Django ${release} supports: use --control interpreter.`);
  const places = [here, native, inside].filter((place) => place !== undefined);
  const results = await runAll(places, release, labels.length > 0 ? labels : await appsOf(release), shards);
  const of = (place: Place): UnitResult[] => results.get(place) ?? [];
  return {
    database,
    django: release,
    labels,
    native: native ? count(of(native)) : null,
    ...compare(of(here), of(control)),
    native_not_passing: native ? failing(of(native)) : [],
    ...(inside && { interpreter: count(of(inside)), interpreter_not_passing: failing(of(inside)) }),
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, memory_gib: Math.round(totalmem() / 2 ** 30) },
    versions: { "django-on-workers": version, pyodide: build.manifest.pyodide, workerd: workerdVersion, ...(native && { native: native.name }) },
  };
}

function summary(name: string, counts: Counts): string {
  const { found, run, passed, failed, errors, expected_failures: expected, skipped } = counts;
  const reasons = Object.entries(skipped).sort(([, a], [, b]) => b - a);
  const all = reasons.reduce((sum, [, n]) => sum + n, 0);
  return [
    `${name}: ${found} found, ${run} run, ${passed} passed, ${failed} failed, ${errors} errors, ${expected} expected failures, ${all} skipped`,
    ...reasons.map(([reason, n]) => `  ${String(n).padStart(5)}  ${reason}`),
  ].join("\n");
}

function print(results: Results): void {
  for (const id of results.not_passing) say(`not passing: ${id}: ${results.reasons[id]}`);
  process.stdout.write(`${summary(NAMES[results.database as Database], results.here)}\n`);
  if (results.native) process.stdout.write(`${summary(results.versions["native"] ?? "natively", results.native)}\n`);
  if (results.interpreter) process.stdout.write(`${summary(INTERPRETER, results.interpreter)}\n`);
  process.stdout.write(`rate: ${(results.rate * 100).toFixed(2)} %\n`);
}

async function suiteOf(release: string, database: Database): Promise<Build> {
  step(`Building the suite of Django ${release} for ${NAMES[database]}`);
  return buildSuite(release, database);
}

/** Runs the slice on both databases, under the newest release that there are results of. */
async function check(shards: number): Promise<number> {
  let bad = 0;
  for (const database of Object.keys(SLICE) as Database[]) {
    const expected = committed().find((results) => results.database === database);
    if (!expected) throw new Refusal(`There are no results of ${NAMES[database]} in conformance/results.`);
    const place = inWorkerd(await suiteOf(expected.django, database), NAMES[database]);
    const units = (await runAll([place], expected.django, SLICE[database], shards)).get(place) ?? [];
    const found = regressions(expected, SLICE[database], units);
    for (const text of found) say(`no longer passing on ${NAMES[database]}: ${text}`);
    const { passed } = count(units);
    process.stdout.write(`${NAMES[database]}, Django ${expected.django}: ${passed} passed, ${found.length} no longer\n`);
    bad += found.length;
  }
  return bad === 0 ? 0 : 1;
}

async function run(args: string[]): Promise<number> {
  const { values, positionals: labels } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      database: { type: "string" },
      django: { type: "string" },
      json: { type: "string" },
      shards: { type: "string", default: "1" },
      control: { type: "string" },
      record: { type: "boolean" },
      report: { type: "boolean" },
      check: { type: "boolean" },
    },
  });
  const shards = Number(values.shards);
  if (!Number.isInteger(shards) || shards < 1) throw new Refusal("--shards takes a number of processes.");
  if (values.report) {
    writeReport();
    return 0;
  }
  if (values.check) return check(shards);
  const { database, django: series, control } = values;
  if (!isDatabase(database)) throw new Refusal(`Name a database: --database ${Object.keys(NAMES).join(" or ")}.`);
  if (series === undefined || !SERIES.includes(series)) throw new Refusal(`Name a series of Django: --django ${SERIES.join(", ")}.`);
  if (control !== undefined && control !== "interpreter") throw new Refusal("There is one more control: --control interpreter.");
  const build = await suiteOf(await newestRelease(series), database);
  const results = await conform(build, database, labels, control !== undefined, shards);
  const text = `${JSON.stringify(results, null, 1)}\n`;
  if (values.json) writeFileSync(resolve(values.json), text);
  if (values.record) {
    mkdirSync(resultsFolder, { recursive: true });
    writeFileSync(join(resultsFolder, `${database}-${series}.json`), text);
    writeReport();
  }
  print(results);
  return 0;
}

await main(() => run(process.argv.slice(2)));
