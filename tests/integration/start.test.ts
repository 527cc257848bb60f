/** Projects that ask their database while they are imported, as they may natively. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Build } from "../../packages/django-on-workers/dist/build/index.js";
import { asking, NAMES, type Files } from "../support/asking.ts";
import { EACH } from "../support/behaviour.ts";
import { searched } from "../support/environment.ts";
import { json, send } from "../support/http.ts";
import { buildProject, type Recorded } from "../support/project.ts";
import { forget, logged, manage, managed, serve } from "../support/worker.ts";

const GUARDED = (target: string) => `try:\n    ${target} = ${NAMES}\nexcept DatabaseError:\n    ${target} = ["none yet"]\n`;
const IN_APP = "apps.get_app_config('captured').names";

const add = (built: Build, name: string): Promise<string> =>
  managed(built, "shell", "--no-imports", "-c", `from captured.models import Option; Option.objects.create(name=${JSON.stringify(name)})`);

async function found(built: Build, requests = 1): Promise<unknown[]> {
  const site = await serve(built);
  try {
    const answers = await Promise.all(Array.from({ length: requests }, () => json(site.url, "/")));
    return answers.map((answer) => answer["found"]);
  } finally {
    await site.stop();
  }
}

const TOLD = (module: string) =>
  new RegExp(`a database or another binding is asked for while the project is imported, and the build has none: by ${module}\\. Ask for it where it is used`);

for (const [database, kind] of EACH) {
  describe(`${database}, ${kind}`, () => {
    const CASES: Record<string, Files & { module: string }> = {
      "an app's ready()": { ready: GUARDED("self.names"), answer: IN_APP, module: "captured.apps" },
      "a module": { kept: GUARDED("NAMES"), answer: "NAMES", module: "captured.views" },
    };
    for (const [what, { module, ...files }] of Object.entries(CASES)) {
      test(`${what} that does without an empty database finds what is there at each start`, async () => {
        const recorded: Recorded = { steps: [], warnings: [] };
        const built = await buildProject(asking("asking", files), { database, interface: kind, recorded });
        forget(built);
        assert.match(recorded.warnings.join(), TOLD(module));
        assert.ok(!searched(built.folder)("a text of the view's own").includes("image.bin, unpacked"));
        assert.deepEqual(await found(built), [["none yet"]]);
        await managed(built, "migrate");
        await add(built, "first");
        // Whoever comes while the project is started waits for it.
        assert.deepEqual(await found(built, 6), Array.from({ length: 6 }, () => ["first"]));
        await add(built, "second");
        assert.deepEqual(await found(built), [["first", "second"]]);
      });
    }

    test("a ready() that needs its table fails without it, at every command too, and names the table", async () => {
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(asking("needing", { ready: `self.names = ${NAMES}\n`, answer: IN_APP }), { database, interface: kind, recorded });
      forget(built);
      assert.match(recorded.warnings.join(), /no database is in reach:[^]*captured\/apps\.py[^]*OperationalError/);
      const site = await serve(built);
      try {
        for (let request = 0; request < 2; request++) assert.equal((await send(site.url, "/")).status, 500);
        assert.ok(await logged(site, /could not be started[^]*OperationalError: no such table: captured_option/), JSON.stringify(site.logs));
      } finally {
        await site.stop();
      }
      const { status, stderr } = await manage(built, "migrate");
      assert.equal(status, 1);
      assert.match(stderr, /OperationalError: no such table: captured_option/);
    });

    test("a WSGI or ASGI module may ask too, and its project stays in the image", async () => {
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(asking("application", { application: `from captured.models import Option\nfrom captured import views\n\nviews.NAMES = ${NAMES}\n`, answer: "NAMES" }), { database, interface: kind, recorded });
      forget(built);
      assert.ok(searched(built.folder)("a text of the view's own").includes("image.bin, unpacked"), recorded.warnings.join());
      await managed(built, "migrate");
      await add(built, "first");
      assert.deepEqual(await found(built, 3), Array.from({ length: 3 }, () => ["first"]));
    });
  });
}
