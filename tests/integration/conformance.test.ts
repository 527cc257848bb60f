/** How outcomes of Django's suite are gathered, added up and compared. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { regressions } from "../../conformance/check.ts";
import { exclusions, matches } from "../../conformance/patterns.ts";
import type { Entry, Outcome, Place, Task } from "../../conformance/places.ts";
import { compare, count, failing, type Results } from "../../conformance/results.ts";
import { runUnit, unitsOf, type UnitResult } from "../../conformance/units.ts";

/** Processes that write what the script says, one after the other. */
function scripted(...processes: Entry[][]): Place & { tasks: Task[] } {
  const tasks: Task[] = [];
  return {
    name: "script",
    key: "script",
    tasks,
    async run(task, take) {
      tasks.push(task);
      for (const entry of processes[tasks.length - 1] ?? assert.fail("There is no further process.")) take(entry);
      return "its last words";
    },
  };
}

const passes = (test: string): Entry[] => [{ started: test }, { test, outcome: "passed" }];

test("small apps share a unit, large ones have their own", () => {
  const sizes: Record<string, number> = { a: 10, b: 20, large: 400_000, c: 149_990, d: 20 };
  const units = unitsOf(["a", "b.tests", "b.other", "large", "c", "d"], (app) => sizes[app] as number);
  assert.deepEqual(units.map(({ labels }) => labels), [["a", "b.tests", "b.other"], ["large"], ["c"], ["d"]]);
});

describe("a unit", () => {
  const found = ["app.A.one", "app.A.two", "app.B.three"];

  test("goes on after a process that died, and tries once more the test that it was at", async () => {
    const place = scripted(
      [{ found }, ...passes("app.A.one"), { started: "app.A.two" }],
      [{ found }, ...passes("app.A.two"), ...passes("app.B.three"), { ended: true }],
    );
    const { outcomes } = await runUnit(place, ["app"], []);
    assert.deepEqual(Object.values(outcomes), [["passed", ""], ["passed", ""], ["passed", ""]]);
    assert.deepEqual(place.tasks.map(({ done }) => done), [[], ["app.A.one"]]);
  });

  test("counts a test as an error that two processes died at", async () => {
    const place = scripted([{ found }, ...passes("app.A.one"), { started: "app.A.two" }], [{ found }, { started: "app.A.two" }], [{ found }, ...passes("app.B.three"), { ended: true }]);
    const { outcomes } = await runUnit(place, ["app"], []);
    assert.deepEqual(outcomes["app.A.two"], ["error", "The process died.\nits last words"]);
    assert.equal(outcomes["app.B.three"]?.[0], "passed");
  });

  test("gives tests the outcome of a class that could not be set up", async () => {
    const place = scripted([{ found }, { fixture: "setUpClass (app.A)", outcome: "error", reason: "no" }, ...passes("app.B.three"), { ended: true }]);
    const { outcomes } = await runUnit(place, ["app"], []);
    assert.deepEqual(outcomes, { "app.B.three": ["passed", ""], "app.A.one": ["error", "no"], "app.A.two": ["error", "no"] });
  });

  test("counts a tear-down that fails by itself", async () => {
    const place = scripted([{ found }, ...found.flatMap(passes), { fixture: "tearDownClass (app.A)", outcome: "error", reason: "no" }, { ended: true }]);
    const result = await runUnit(place, ["app"], []);
    assert.deepEqual(failing([result]), ["tearDownClass (app.A)"]);
  });

  test("ends when two processes die before their first test", async () => {
    const result = await runUnit(scripted([{ found }], [{ found }]), ["app"], []);
    assert.deepEqual(failing([result]), found);
  });
});

const unitOf = (outcomes: Record<string, [Outcome, string]>): UnitResult => ({ found: Object.keys(outcomes), outcomes, seconds: 0 });

const TRACEBACK = 'Traceback (most recent call last):\n  File "x.py", line 1, in test\ndjango.db.utils.OperationalError: no such function: md5\n';
const here = [
  unitOf({ "app.A.one": ["passed", ""], "app.A.two": ["error", TRACEBACK], "app.A.three": ["skipped", "no locks"] }),
  unitOf({ "other.B.four": ["expected_failure", ""], "other.B.five": ["unexpected_success", ""], "other.B.six": ["passed", ""] }),
];
const native = [unitOf({ "app.A.one": ["passed", ""], "app.A.two": ["passed", ""], "app.C.lost": ["passed", ""], "other.B.six": ["passed", ""] })];

describe("results", () => {
  test("are counted by outcome, skipped ones by reason", () => {
    const expected = { found: 6, run: 5, passed: 2, failed: 1, errors: 1, expected_failures: 1, skipped: { "no locks": 1 } };
    assert.deepEqual(count(here), expected);
  });

  test("name what did not pass, or was not found, and why", () => {
    const { rate, not_passing, reasons, skipped, apps } = compare(here, native);
    assert.equal(rate, 0.5);
    assert.deepEqual(not_passing, ["app.A.two", "app.C.lost", "other.B.five"]);
    assert.equal(reasons["app.A.two"], "django.db.utils.OperationalError: no such function: md5");
    assert.deepEqual(skipped, { "no locks": ["app.A.three"] });
    assert.deepEqual(apps, { app: [3, 1], other: [3, 1] });
  });

  test("are held against those that are committed", () => {
    const committed = compare(here, native) as Results;
    assert.deepEqual(regressions(committed, ["app", "other"], here), []);
    const worse = [
      unitOf({ "app.A.one": ["failed", "AssertionError"], "app.A.two": ["error", ""], "app.A.three": ["skipped", ""] }),
      unitOf({ "other.B.four": ["passed", ""], "other.B.six": ["skipped", "no time"] }),
    ];
    assert.deepEqual(regressions(committed, ["app", "other"], worse), [
      "app.A.one\nAssertionError",
      "other.B.six\nIt is skipped: no time",
      "other\n2 tests were found, and there are 3.",
    ]);
  });
});

describe("patterns", () => {
  test("match whole ids, and a star anything", () => {
    const line = { pattern: "app.tests.A*.test_(x)", reason: "" };
    assert.ok(matches(line, "app.tests.AB.C.test_(x)"));
    assert.ok(!matches(line, "app_tests.A.test_(x)"));
    assert.ok(!matches(line, "app.tests.A.test_(x)y"));
  });

  test("each have a reason, and none is there twice", () => {
    const patterns = exclusions().map(({ pattern }) => pattern);
    assert.equal(new Set(patterns).size, patterns.length);
    assert.ok(exclusions().every(({ reason }) => reason.endsWith(".")));
  });
});
