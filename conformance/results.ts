/** Outcomes added up. */
import type { Outcome } from "./places.ts";
import type { UnitResult } from "./units.ts";

export interface Counts {
  found: number;
  run: number;
  passed: number;
  failed: number;
  errors: number;
  expected_failures: number;
  skipped: Record<string, number>;
}

/** What `--json` writes and what conformance/results/ holds. */
export interface Results {
  database: string;
  django: string;
  /** Empty for the whole suite. */
  labels: string[];
  here: Counts;
  /** Null where the machine has no Python for this Django; then the interpreter is what is compared with. */
  native: Counts | null;
  /** On Django's own SQLite backend inside workerd, where that was asked for. */
  interpreter?: Counts;
  /** Passed here ÷ passed in the control. */
  rate: number;
  /** Tests that failed here, or that passed in the control and were not found here. */
  not_passing: string[];
  /** The last line of what each of these said. */
  reasons: Record<string, string>;
  /** Tests that were skipped here, by reason. */
  skipped: Record<string, string[]>;
  /** Tests that fail in the controls. */
  native_not_passing: string[];
  interpreter_not_passing?: string[];
  /** Tests found and passed here, by app. */
  apps: Record<string, [found: number, passed: number]>;
  date: string;
  machine: { cpu: string | undefined; cores: number; memory_gib: number };
  versions: Record<string, string>;
}

const FAILED: readonly Outcome[] = ["failed", "error", "unexpected_success"];
export const hasFailed = (outcome: Outcome): boolean => FAILED.includes(outcome);

export function* outcomes(units: Iterable<UnitResult>): Generator<[id: string, outcome: Outcome, reason: string]> {
  for (const { outcomes: found } of units) for (const [id, [outcome, reason]] of Object.entries(found)) yield [id, outcome, reason];
}

/** Sorted by the key, so that a change of results is a small change of the file. */
const sorted = <Value>(entries: Iterable<[string, Value]>): Record<string, Value> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : Number(a > b))));

export function count(units: readonly UnitResult[]): Counts {
  const counts: Counts = { found: 0, run: 0, passed: 0, failed: 0, errors: 0, expected_failures: 0, skipped: {} };
  const skipped = new Map<string, number>();
  for (const { found } of units) counts.found += found.length;
  for (const [, outcome, reason] of outcomes(units)) {
    if (outcome === "skipped") skipped.set(reason, (skipped.get(reason) ?? 0) + 1);
    else counts.run++;
    if (outcome === "passed") counts.passed++;
    // A test that is expected to fail and does not is a failure, as unittest counts it.
    else if (outcome === "failed" || outcome === "unexpected_success") counts.failed++;
    else if (outcome === "error") counts.errors++;
    else if (outcome === "expected_failure") counts.expected_failures++;
  }
  counts.skipped = sorted(skipped);
  return counts;
}

export const failing = (units: readonly UnitResult[]): string[] => [...outcomes(units)].flatMap(([id, outcome]) => (hasFailed(outcome) ? [id] : [])).sort();

/** The line of a traceback that says what is wrong: the last one that is not indented. */
export function lastLine(reason: string): string {
  const lines = reason.split("\n").filter((line) => /^\S/.test(line));
  const exception = lines.findLast((line) => /^[\w.]+(?:Error|Exception|Warning|Failure|Timeout|DoesNotExist|Exit|Interrupt)\b/.test(line));
  return (exception ?? lines.at(-1) ?? "").slice(0, 300);
}

type Comparison = Pick<Results, "here" | "rate" | "not_passing" | "reasons" | "skipped" | "apps">;

export function compare(here: readonly UnitResult[], control: readonly UnitResult[]): Comparison {
  const reasons = new Map<string, string>();
  const skipped = new Map<string, string[]>();
  const known = new Set<string>();
  const apps = new Map<string, [number, number]>();
  for (const id of here.flatMap(({ found }) => found)) {
    const app = id.split(".")[0] as string;
    const [all, passed] = apps.get(app) ?? [0, 0];
    apps.set(app, [all + 1, passed]);
  }
  for (const [id, outcome, reason] of outcomes(here)) {
    known.add(id);
    if (hasFailed(outcome)) reasons.set(id, outcome === "unexpected_success" ? "It passes, and is expected to fail." : lastLine(reason));
    else if (outcome === "skipped") skipped.set(reason, [...(skipped.get(reason) ?? []), id].sort());
    const app = apps.get(id.split(".")[0] as string);
    if (outcome === "passed" && app) app[1]++;
  }
  for (const [id, outcome] of outcomes(control)) if (outcome === "passed" && !known.has(id)) reasons.set(id, "It was not found here.");
  const [ours, theirs] = [count(here), count(control)];
  return {
    here: ours,
    rate: theirs.passed === 0 ? 0 : Number((ours.passed / theirs.passed).toFixed(4)),
    not_passing: [...reasons.keys()].sort(),
    reasons: sorted(reasons),
    skipped: sorted(skipped),
    apps: sorted(apps),
  };
}
