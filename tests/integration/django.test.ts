/** Some of Django's own tests, inside workerd: `npm run conformance` runs all of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { Database } from "../../packages/django-on-workers/dist/build/index.js";
import { inWorkerd } from "../../conformance/places.ts";
import { count, failing } from "../../conformance/results.ts";
import { buildSuite } from "../../conformance/suite.ts";
import { runUnit } from "../../conformance/units.ts";
import { buildBehaviour } from "../support/behaviour.ts";
import { managed } from "../support/worker.ts";

describe("Django's own tests", () => {
  for (const [database, labels] of [
    // Of the latter, what needs hashlib.scrypt, and time.tzset().
    ["durable-object", ["basic", "transactions", "auth_tests.test_hashers.TestUtilsHashPassScrypt", "utils_tests.test_dateformat"]],
    ["d1", ["basic"]],
  ] satisfies [Database, string[]][]) {
    test(`${labels.join(", ")} on ${database}`, async (t) => {
      // The Django that the test projects have, which is installed and compiled already.
      const project = await buildBehaviour("durable-object", "wsgi");
      const release = (await managed(project, "version")).trim();
      const requirements = readFileSync(join(project.project.root, "requirements.txt"), "utf8");
      const part = { apps: labels.map((label) => label.split(".")[0] as string), requirements };
      const place = inWorkerd(await buildSuite(release, database, part), database);
      const result = await runUnit(place, labels, ["basic.tests.ModelTest.test_eq"]);
      const { found, passed } = count([result]);
      t.diagnostic(`Django ${release}: ${found} found, ${passed} passed`);
      assert.deepEqual(failing([result]), []);
      assert.ok(Object.values(result.outcomes).every(([, reason]) => !/scrypt|arbitrary time zone/.test(reason)));
      assert.ok(passed > 70, `${passed} of ${found}`);
      assert.ok(result.found.includes("basic.tests.ModelTest.test_hash"));
      assert.ok(!result.found.includes("basic.tests.ModelTest.test_eq"), "It is left out.");
    });
  }
});
