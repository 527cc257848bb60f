/** The parts of the interpreter's wasm that few requests need, and the files: loaded when they are needed, inside workerd. */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { startLocal } from "../../packages/django-on-workers/dist/build/local.js";
import { buildBehaviour, writeVariables, VARIABLES } from "../support/behaviour.ts";
import { json, send } from "../support/http.ts";
import { buildProject, copyProject, root } from "../support/project.ts";
import { managed } from "../support/worker.ts";

/** The emitted entry, of which `/loaded/` tells how often each part was loaded, and the files' contents. */
const WATCH = `
const loads = { rare: 0, cold: 0, contents: 0 };
const counted = (name, load) => () => (loads[name]++, load());
const watched = (artefacts) => ({
  ...artefacts,
  parts: { ...artefacts.parts, later: Object.fromEntries(Object.entries(artefacts.parts.later).map(([name, load]) => [name, counted(name, load)])) },
  files: artefacts.files.map(({ tree, contents }) => ({ tree, contents: counted("contents", contents) })),
});
const watching = (handler) => ({
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== "/loaded/") return handler.fetch(request, env, ctx);
    return Response.json(loads);
  },
});
`;

const ENTRIES = {
  "durable-object": `import "./prepare.js";
import { DjangoObject, forwarder } from "./runtime/django/object.js";
${WATCH}
export class Django extends DjangoObject {
  async load() {
    return watched((await import("./artefacts.js")).artefacts);
  }
}

export default watching(forwarder);
`,
  d1: `import "./prepare.js";
import { createWorker } from "./runtime/django/worker.js";
import { artefacts } from "./artefacts.js";
${WATCH}
export default watching(await createWorker(watched(artefacts)));
`,
} as const;

async function behaviourWith(flags: readonly string[]) {
  const folder = copyProject("behaviour", "wasm-parts");
  const configuration = join(folder, "wrangler.jsonc");
  writeFileSync(configuration, readFileSync(configuration, "utf8").replace('"vars"', `"compatibility_flags": ${JSON.stringify(flags)},\n  "vars"`));
  writeVariables(folder, VARIABLES);
  return buildProject(folder, { database: "durable-object", interface: "wsgi" });
}

const SITES = {
  "in an object": () => buildBehaviour("durable-object", "wsgi"),
  "at global scope": () => buildBehaviour("d1", "asgi"),
  "with the old module registry": () => behaviourWith(["legacy_module_registry"]),
};

for (const [where, build] of Object.entries(SITES)) {
  test(`a part is loaded once, under stacks that wait, ${where}`, async () => {
    const built = await build();
    const worker = await startLocal(built, { entry: ENTRIES[built.project.database] });
    const url = (await worker.ready).href;
    try {
      assert.deepEqual(await json(url, "/loaded/"), { rare: 0, cold: 0, contents: 0 });
      // Several at once: each is suspended in the middle of what the others have on their stacks.
      const found = await Promise.all([2, 5, 8, 1].map((value) => json(url, `/rare/?value=${value}`)));
      assert.deepEqual(found, [1, 2, 4, 0].map((place) => ({ place, total: 6 })));
      const { rare, cold } = await json(url, "/loaded/");
      assert.deepEqual({ rare, cold }, { rare: 1, cold: 1 });
      assert.match((await send(url, "/late/")).text, /Good morning/);
      const after = await json(url, "/loaded/");
      assert.ok(after.contents > 0);
      assert.deepEqual({ rare: after.rare, cold: after.cold }, { rare: 1, cold: 1 });
    } finally {
      await worker.dispose();
    }
  });
}

describe("the example", () => {
  for (const database of ["durable-object", "d1"] as const) {
    test(`starts and serves its pages without the cold part, ${database}`, async () => {
      const folder = copyProject("blog", `wasm-parts-${database}`, join(root, "examples", "blog"));
      const built = await buildProject(folder, { database });
      await managed(built, "migrate", "--verbosity", "0");
      await managed(built, "loaddata", "demo");
      // As in the build, and with settings that differ from it, which a start announces.
      for (const variables of ["", "SECRET_KEY=another\nALLOWED_HOSTS=localhost,127.0.0.1\n"]) {
        writeFileSync(join(folder, ".dev.vars"), variables);
        const worker = await startLocal(built, { entry: ENTRIES[database] });
        const url = (await worker.ready).href;
        try {
          for (const path of ["/", "/admin/login/", "/feed/", "/api/posts/", "/export/posts.csv", "/accounts/signup/"]) assert.equal((await send(url, path)).status, 200, path);
          assert.equal((await json(url, "/loaded/")).cold, 0, variables);
        } finally {
          await worker.dispose();
        }
      }
    });
  }
});
