/** The suite in units, each some apps in a process of its own, whose outcomes are kept. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { digest } from "../packages/django-on-workers/dist/build/cache.js";
import { work } from "../tests/support/project.ts";
import type { Entry, Outcome, Place } from "./places.ts";

/** Outcomes of a unit by test id; a reason is there where a test did not simply pass. */
export interface UnitResult {
  found: string[];
  outcomes: Record<string, [outcome: Outcome, reason: string]>;
  seconds: number;
}

const RESULTS = join(work, "conformance-results");
/** A process that tells nothing for so long is ended, and with it the test that it was at. */
const SILENCE_SECONDS = 300;

/** Labels that run in one process, and the apps that they belong to. */
export interface Unit {
  apps: string[];
  labels: string[];
}

/** Bytes of Python that a process gets to run: starting one costs as much as the tests of some small apps. */
const UNIT_SIZE = 150_000;

/** Puts the labels of neighbouring apps together, up to a size; a large app is a unit by itself. */
export function unitsOf(labels: readonly string[], sizeOf: (app: string) => number): Unit[] {
  const apps = Map.groupBy(labels, (label) => label.split(".")[0] as string);
  const units: Unit[] = [];
  let room = 0;
  for (const [app, own] of apps) {
    const size = sizeOf(app);
    const last = units.at(-1);
    if (last && size <= room) {
      last.apps.push(app);
      last.labels.push(...own);
      room -= size;
    } else {
      units.push({ apps: [app], labels: [...own] });
      room = UNIT_SIZE - size;
    }
  }
  return units;
}

/** Outcomes of a unit: run, or read from what an earlier run of the same has kept. */
export async function unit(place: Place, labels: readonly string[], leftOut: readonly string[]): Promise<{ result: UnitResult; kept: boolean }> {
  const path = join(RESULTS, place.key, `${labels[0]}-${digest(...labels, "", ...leftOut)}.json`);
  if (existsSync(path)) return { result: JSON.parse(readFileSync(path, "utf8")) as UnitResult, kept: true };
  const result = await runUnit(place, labels, leftOut);
  mkdirSync(join(RESULTS, place.key), { recursive: true });
  writeFileSync(`${path}.draft`, JSON.stringify(result));
  renameSync(`${path}.draft`, path);
  return { result, kept: false };
}

/** Runs a unit, in as many processes as it takes: one that dies takes only the test with it that it was at. */
export async function runUnit(place: Place, labels: readonly string[], leftOut: readonly string[]): Promise<UnitResult> {
  const started = performance.now();
  const result: UnitResult = { found: [], outcomes: {}, seconds: 0 };
  const fixtures = new Map<string, [Outcome, string]>();
  // A process can die of its age: a class of tests in one transaction takes longer than the platform lets it.
  const tried = new Set<string | undefined>();
  for (let ended = false; !ended; ) {
    let current: string | undefined;
    const before = Object.keys(result.outcomes).length;
    const abort = new AbortController();
    let silence: NodeJS.Timeout | undefined;
    const wait = (): void => {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE_SECONDS * 1000);
    };
    const take = (entry: Entry): void => {
      wait();
      if (entry.found) result.found = entry.found;
      if (entry.started) current = entry.started;
      if (entry.ended) ended = true;
      if (entry.outcome === undefined) return;
      const outcome: [Outcome, string] = [entry.outcome, entry.reason ?? ""];
      if (entry.fixture !== undefined) fixtures.set(entry.fixture, outcome);
      if (entry.test === undefined) return;
      result.outcomes[entry.test] = outcome;
      current = undefined;
    };
    wait();
    const done = Object.keys(result.outcomes);
    const output = await place.run({ labels, leftOut, done }, take, abort.signal);
    clearTimeout(silence);
    if (ended) break;
    // The process died. The test that it was at has failed if that happens again, and the others go on without it.
    const why = abort.signal.aborted ? `Nothing was heard for ${SILENCE_SECONDS} seconds.` : "The process died.";
    const outcome: [Outcome, string] = ["error", `${why}\n${output}`];
    const again = tried.has(current) || abort.signal.aborted;
    if (current !== undefined && again) result.outcomes[current] = outcome;
    else if (again && Object.keys(result.outcomes).length === before) {
      // Before the first test, or between two of them.
      fixtures.set(`unit (${labels.join(" ")})`, outcome);
      break;
    }
    tried.add(current);
  }
  spread(result, fixtures);
  result.seconds = Math.round((performance.now() - started) / 100) / 10;
  return result;
}

/** Gives the tests of a class or module that was skipped, or could not be set up, the outcome of that. */
function spread(result: UnitResult, fixtures: Map<string, [Outcome, string]>): void {
  for (const [id, outcome] of fixtures) {
    const owner = /\(([^)]*)\)$/.exec(id)?.[1] ?? "";
    const whole = id.startsWith("unit ");
    const without = result.found.filter((test) => !(test in result.outcomes) && (whole || test.startsWith(`${owner}.`)));
    for (const test of without) result.outcomes[test] = outcome;
    // A tear-down that fails comes after the outcomes of its tests: it counts by itself.
    if (without.length === 0) result.outcomes[id] = outcome;
  }
}
