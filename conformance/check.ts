/** A slice of the suite against the committed results: `npm run conformance -- --check`. */
import type { Database } from "../packages/django-on-workers/dist/build/index.js";
import { hasFailed, outcomes, type Results } from "./results.ts";
import type { UnitResult } from "./units.ts";

/** Apps of the ORM: small ones, that between them use every part of a backend. */
export const SLICE: Record<Database, readonly string[]> = {
  "durable-object": [
    "aggregation", "annotations", "backends", "basic", "bulk_create", "constraints", "dates", "datetimes", "db_functions", "defer", "delete",
    "expressions", "expressions_case", "expressions_window", "fixtures", "from_db_value", "get_or_create", "introspection", "lookup",
    "many_to_many", "model_fields", "ordering", "raw_query", "schema", "timezones", "transactions", "update",
  ],
  d1: ["aggregation", "basic", "bulk_create", "constraints", "datetimes", "expressions_case", "introspection", "lookup", "transactions"],
};

/** What passed in the committed results and does not now, a line each. */
export function regressions(committed: Results, apps: readonly string[], units: readonly UnitResult[]): string[] {
  const known = new Set(committed.not_passing);
  const skipped = new Set(Object.values(committed.skipped).flat());
  const found: string[] = [];
  for (const [id, outcome, reason] of outcomes(units)) {
    if (hasFailed(outcome) && !known.has(id) && !skipped.has(id)) found.push(`${id}\n${reason}`);
    if (outcome === "skipped" && !known.has(id) && !skipped.has(id)) found.push(`${id}\nIt is skipped: ${reason}`);
  }
  const now = Map.groupBy(units.flatMap(({ found: tests }) => tests), (id) => id.split(".")[0] as string);
  for (const app of apps) {
    const [before, after] = [committed.apps[app]?.[0] ?? 0, now.get(app)?.length ?? 0];
    if (after < before) found.push(`${app}\n${after} tests were found, and there are ${before}.`);
  }
  return found;
}
