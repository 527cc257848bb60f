/** Some of Django's own tests, inside workerd: `npm run conformance` runs all of them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Database } from "../../packages/django-on-workers/dist/build/index.js";
import { inWorkerd, type Entry, type Place, type Task } from "../../conformance/places.ts";
import { count, failing } from "../../conformance/results.ts";
import { buildSuite, newestRelease } from "../../conformance/suite.ts";
import { runUnit, unitsOf } from "../../conformance/units.ts";

describe("Django's own tests", () => {
  for (const [database, apps] of [
    ["durable-object", ["basic", "transactions"]],
    ["d1", ["basic"]],
  ] satisfies [Database, string[]][]) {
    test(`${apps.join(", ")} on ${database}`, async (t) => {
      const release = await newestRelease("6.1");
      const place = inWorkerd(await buildSuite(release, database), database);
      const result = await runUnit(place, apps, ["basic.tests.ModelTest.test_eq"]);
      const { found, passed } = count([result]);
      t.diagnostic(`Django ${release}: ${found} found, ${passed} passed`);
      assert.deepEqual(failing([result]), []);
      assert.ok(passed > 70, `${passed} of ${found}`);
      assert.ok(result.found.includes("basic.tests.ModelTest.test_hash"));
      assert.ok(!result.found.includes("basic.tests.ModelTest.test_eq"), "It is left out.");
    });
  }
});

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
