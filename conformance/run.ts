/** `npm run conformance`: Django's own test suite, inside workerd and natively. Started by scripts/conformance.mjs. */
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { workerdVersion } from "../bench/workerd.ts";
import type { Build, Database } from "../packages/django-on-workers/dist/build/index.js";
import { version } from "../packages/django-on-workers/dist/build/modules.js";
import { main, Refusal, say, step } from "../scripts/lib/terminal.mjs";
import { exclusions, isWholeApp, patternsFor } from "./excluded.ts";
import { inWorkerd, natively, type Place } from "./places.ts";
import { compare, count, failing, type Counts, type Results } from "./results.ts";
import { appsOf, buildSuite, newestRelease } from "./suite.ts";
import { unit, unitsOf, type UnitResult } from "./units.ts";

const DATABASES: readonly string[] = ["durable-object", "d1"] satisfies Database[];
const SERIES = ["5.2", "6.0", "6.1"];
const NAMES: Record<Database, string> = { "durable-object": "Durable Object", d1: "D1" };

interface Job {
  place: Place;
  app: string;
  labels: string[];
}

const clock = (seconds: number): string => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

/** Runs the jobs, so many at a time; a line tells of each as it ends. */
async function runAll(jobs: readonly Job[], shards: number): Promise<Map<Place, UnitResult[]>> {
  const excluded = exclusions();
  const results = new Map<Place, UnitResult[]>();
  const waiting = [...jobs];
  const started = performance.now();
  let ended = 0;
  const shard = async (): Promise<void> => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const { result, kept } = await unit(job.place, job.labels, patternsFor(job.app, excluded));
      results.set(job.place, [...(results.get(job.place) ?? []), result]);
      const { found, passed, failed, errors } = count([result]);
      const place = `${String(++ended).padStart(String(jobs.length).length)}/${jobs.length} ${clock((performance.now() - started) / 1000)}`;
      say(`${place}  ${job.app}, ${job.place.name}: ${found} found, ${passed} passed, ${failed} failed, ${errors} errors, ${kept ? "kept" : `${result.seconds} s`}`);
    }
  };
  await Promise.all(Array.from({ length: shards }, shard));
  return results;
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

async function conform(build: Build, series: Options, labels: string[]): Promise<Results> {
  const release = build.facts.django;
  const excluded = exclusions();
  const here = inWorkerd(build, NAMES[series.database]);
  const native = await natively(release);
  const places = [here, native];
  const interpreter = series.interpreter ? inWorkerd(build, "Django's SQLite backend inside workerd", "--stock-sqlite") : undefined;
  if (interpreter) places.push(interpreter);
  const units = unitsOf(labels.length > 0 ? labels : await appsOf(release));
  const jobs = places.flatMap((place) =>
    [...units].filter(([app]) => !isWholeApp(app, excluded)).map(([app, names]): Job => ({ place, app, labels: names })),
  );
  const results = await runAll(jobs, series.shards);
  const of = (place: Place): UnitResult[] => results.get(place) ?? [];
  return {
    database: series.database,
    django: release,
    labels,
    ...compare(of(here), of(native)),
    ...(interpreter && { interpreter: count(of(interpreter)), interpreter_not_passing: failing(of(interpreter)) }),
    date: new Date().toISOString().slice(0, 10),
    machine: { cpu: cpus()[0]?.model.trim(), cores: cpus().length, memory_gib: Math.round(totalmem() / 2 ** 30) },
    versions: { "django-on-workers": version, pyodide: build.manifest.pyodide, workerd: workerdVersion, native: native.name },
  };
}

interface Options {
  database: Database;
  shards: number;
  interpreter: boolean;
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
    },
  });
  const { database, django: series, control } = values;
  if (database === undefined || !DATABASES.includes(database)) throw new Refusal(`Name a database: --database ${DATABASES.join(" or ")}.`);
  if (series === undefined || !SERIES.includes(series)) throw new Refusal(`Name a series of Django: --django ${SERIES.join(", ")}.`);
  if (control !== undefined && control !== "interpreter") throw new Refusal("There is one more control: --control interpreter.");
  const shards = Number(values.shards);
  if (!Number.isInteger(shards) || shards < 1) throw new Refusal("--shards takes a number of processes.");
  const release = await newestRelease(series);
  step(`Building the suite of Django ${release} for ${NAMES[database as Database]}`);
  const build = await buildSuite(release, database as Database);
  const results = await conform(build, { database: database as Database, shards, interpreter: control !== undefined }, labels);
  if (values.json) writeFileSync(resolve(values.json), `${JSON.stringify(results, null, 2)}\n`);
  for (const id of results.not_passing) say(`not passing: ${id}: ${results.reasons[id]}`);
  const places = [[NAMES[database as Database], results.here], [results.versions["native"], results.native], ["Django's SQLite backend inside workerd", results.interpreter]] as const;
  for (const [name, counts] of places) if (name && counts) process.stdout.write(`${summary(name, counts)}\n`);
  process.stdout.write(`rate: ${(results.rate * 100).toFixed(2)} %\n`);
  return 0;
}

await main(() => run(process.argv.slice(2)));
