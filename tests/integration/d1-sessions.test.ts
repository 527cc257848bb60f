/** D1's sessions: one a request, from a constraint on or from where the visitor's last write ended. */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Miniflare } from "miniflare";
import type { Build, Interface } from "../../packages/django-on-workers/dist/build/index.js";
import { startLocal } from "../../packages/django-on-workers/dist/build/local.js";
import { VARIABLES, writeVariables } from "../support/behaviour.ts";
import { buildProject, copyProject } from "../support/project.ts";
import { manage, managed } from "../support/worker.ts";

/** Django, and a note of what it asks of the binding. */
const ENTRY = `import "./prepare.js";
import { createWorker } from "./runtime/django/worker.js";
import { artefacts } from "./artefacts.js";

const django = await createWorker(artefacts);

export default {
  async fetch(request, env, ctx) {
    const asked = [];
    const DB = new Proxy(env.DB, {
      get(target, name) {
        return (...values) => {
          asked.push(name === "withSession" ? values[0] : name);
          return target[name](...values);
        };
      },
    });
    const response = await django.fetch(request, { ...env, DB }, ctx);
    const noted = new Response(response.body, response);
    noted.headers.set("x-asked", JSON.stringify(asked));
    return noted;
  },
};
`;

/** The project on D1 with these options, and the middleware. */
async function built(label: string, kind: Interface, options: string): Promise<Build> {
  const folder = copyProject("behaviour", label);
  writeVariables(folder, VARIABLES);
  const settings = join(folder, "config", "settings.py");
  appendFileSync(settings, `\nDATABASES = {"default": {"ENGINE": "django_on_workers.db.d1", "NAME": "DB", "OPTIONS": ${options}}}\n`);
  writeFileSync(settings, readFileSync(settings, "utf8").replace("MIDDLEWARE = [", 'MIDDLEWARE = [\n    "django_on_workers.db.d1.middleware.bookmarks",'));
  return buildProject(folder, { database: "d1", interface: kind });
}

interface Answer {
  found: unknown;
  /** What the request asked of the binding: where its sessions start, or statements sent without one. */
  asked: string[];
  cookie: string | undefined;
}

const BOOKMARK = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/;

for (const [kind, prefix] of [["wsgi", ""], ["asgi", "a"]] as const) {
  describe(`a session a request, ${kind}`, () => {
    let worker: Miniflare;
    before(async () => {
      const build = await built(`behaviour-sessions-${kind}`, kind, '{"session": "first-unconstrained"}');
      await managed(build, "migrate");
      worker = await startLocal(build, { entry: ENTRY });
    });
    after(() => worker?.dispose());

    async function ask(path: string, cookie?: string): Promise<Answer> {
      const response = await worker.dispatchFetch(`http://localhost${path}`, cookie === undefined ? {} : { headers: { cookie } });
      assert.equal(response.status, 200);
      const { found } = (await response.json()) as { found: unknown };
      const asked = JSON.parse(response.headers.get("x-asked") ?? "") as string[];
      return { found, asked, cookie: response.headers.getSetCookie()[0] };
    }

    test("what a request writes it reads, and its next one starts there", async () => {
      const { found, asked, cookie } = await ask(`/sessions/${prefix}write/?name=one`);
      assert.deepEqual(found, kind === "wsgi" ? [1, 2, 3, 3] : 1);
      assert.deepEqual(asked, ["first-unconstrained"]);
      assert.match(cookie ?? "", /^d1_bookmark_default=.*; HttpOnly; Max-Age=600; Path=\/; SameSite=Lax$/);
      const next = await ask(`/sessions/${prefix}read/?name=one`, cookie?.split(";")[0]);
      assert.equal(next.found, kind === "wsgi" ? 3 : 1);
      assert.equal(next.asked.length, 1);
      assert.match(next.asked[0] ?? "", BOOKMARK);
    });

    test("a request that writes nothing leaves no cookie, and a forged one says nothing", async () => {
      const { cookie } = await ask(`/sessions/${prefix}read/?name=one`);
      assert.equal(cookie, undefined);
      const forged = "d1_bookmark_default=ffffffff-ffffffff-ffffffff-ffffffffffffffffffffffffffffffff";
      assert.deepEqual((await ask(`/sessions/${prefix}read/?name=one`, forged)).asked, ["first-unconstrained"]);
    });
  });
}

describe("options", () => {
  test("first-primary starts at the primary database", async () => {
    const build = await built("behaviour-sessions-wsgi", "wsgi", '{"session": "first-primary"}');
    await managed(build, "migrate");
    const worker = await startLocal(build, { entry: ENTRY });
    try {
      const response = await worker.dispatchFetch("http://localhost/sessions/write/?name=two");
      assert.deepEqual(JSON.parse(response.headers.get("x-asked") ?? ""), ["first-primary"]);
      assert.deepEqual(await response.json(), { found: [1, 2, 3, 3] });
    } finally {
      await worker.dispose();
    }
  });

  test("without one every statement goes to the primary database", async () => {
    const build = await built("behaviour-sessions-wsgi", "wsgi", "{}");
    await managed(build, "migrate");
    const worker = await startLocal(build, { entry: ENTRY });
    try {
      const response = await worker.dispatchFetch("http://localhost/sessions/write/?name=three");
      assert.deepEqual(JSON.parse(response.headers.get("x-asked") ?? ""), Array<string>(7).fill("prepare"));
      assert.deepEqual(response.headers.getSetCookie(), []);
    } finally {
      await worker.dispose();
    }
  });

  test("another value is refused", async () => {
    const build = await built("behaviour-sessions-wsgi", "wsgi", '{"session": "nearest"}');
    const { status, stderr } = await manage(build, "migrate");
    assert.equal(status, 1);
    assert.match(stderr, /DATABASES\['default'\]\['OPTIONS'\]\['session'\] is 'nearest'. Use one of None, 'first-primary', 'first-unconstrained'\./);
  });
});
