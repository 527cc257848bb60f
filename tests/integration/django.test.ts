/** Some of Django's own tests, inside workerd. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { suiteProject } from "../../conformance/suite.ts";
import { buildProject, copyProject } from "../support/project.ts";
import { manage } from "../support/worker.ts";

describe("Django's own tests", () => {
  for (const [database, applications] of [
    ["durable-object", ["basic", "lookup", "transactions"]],
    ["d1", ["basic", "lookup"]],
  ] as const) {
    test(`${applications.join(", ")} on ${database}`, async (t) => {
      // The release that the requirements resolve to is the one whose tests fit.
      const environment = { ...process.env, SECRET_KEY: "x" };
      const { facts } = await buildProject(copyProject("behaviour", "release"), { environment });
      const folder = await suiteProject(`django-${database}`, facts.django, applications);
      const built = await buildProject(folder, { database });
      const { status, stdout, stderr } = await manage(built, "test", "--noinput", ...applications);
      const ran = Number(/Ran (\d+) tests?/.exec(stderr)?.[1]);
      t.diagnostic(`Django ${facts.django}: ${/Ran \d+ tests/.exec(stderr)?.[0]}, ${stderr.trim().split("\n").at(-1)}`);
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      assert.ok(ran > 100, stderr);
    });
  }
});
