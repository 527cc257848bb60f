/** Management commands in a deployed Worker. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Build } from "../../packages/django-on-workers/dist/build/index.js";
import { manageThrough } from "../../packages/django-on-workers/dist/build/remote.js";
import { asking, NAMES } from "../support/asking.ts";
import { buildBehaviour, EACH } from "../support/behaviour.ts";
import { deployed, startApi, type Deployed, type Upload } from "../support/cloudflare.ts";
import { dow } from "../support/command.ts";
import { json, send } from "../support/http.ts";
import { buildProject, copyProject } from "../support/project.ts";
import { forget, logged, serve, type Outcome } from "../support/worker.ts";

/** Wrangler as if it were logged in, to an API on this machine. */
const loggedIn = (url: string) => ({ CLOUDFLARE_API_BASE_URL: url, CLOUDFLARE_API_TOKEN: "a token", CLOUDFLARE_ACCOUNT_ID: "an-account" });

/** Has Wrangler upload its Worker; nobody answers where it then looks for it. */
async function uploaded(folder: string): Promise<{ upload: Upload; status: number | null; stderr: string; stdout: string }> {
  const api = await startApi();
  try {
    const result = await dow(["manage", "--remote", "migrate"], folder, loggedIn(api.url));
    assert.equal(api.uploads.length, 1, result.stderr);
    return { upload: api.uploads[0] as Upload, ...result };
  } finally {
    api.stop();
  }
}

for (const [database, kind] of EACH) {
  describe(`${database}, ${kind}`, () => {
    let built: Build;
    let site: Deployed;
    before(async () => {
      built = await buildBehaviour(database, kind);
      forget(built);
      const { upload } = await uploaded(built.project.root);
      site = await deployed(built, upload);
    });
    after(() => site?.stop());

    async function manage(argv: string[], input?: string): Promise<Outcome> {
      const outcome: Outcome = { status: -1, stdout: "", stderr: "" };
      outcome.status = await manageThrough(site.session as never, "a-site", argv, {
        stdout: (text) => void (outcome.stdout += text),
        stderr: (text) => void (outcome.stderr += text),
        ...(input !== undefined && { input }),
      });
      return outcome;
    }

    async function managed(argv: string[], input?: string): Promise<string> {
      const { status, stdout, stderr } = await manage(argv, input);
      assert.equal(status, 0, `${stdout}${stderr}`);
      return stdout;
    }

    const shell = (code: string): Promise<string> => managed(["shell", "--no-imports", "-c", code]);

    test("migrate brings the database of a site up to date that has served requests without one", async () => {
      assert.equal((await send(site.url, "/things/")).status, 500);
      assert.match(await managed(["migrate", "--no-color"]), /Applying things\.0001_initial\.\.\. OK\n/);
      assert.equal((await send(site.url, "/things/")).status, 200);
      assert.match(await managed(["migrate", "--no-color"]), /No migrations to apply\./);
    });

    test("createsuperuser gets its password from here, and leaves it nowhere", async () => {
      process.env["DJANGO_SUPERUSER_PASSWORD"] = "a-distinctive-password";
      const argv = ["createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.com"];
      try {
        assert.match(await managed(argv), /Superuser created successfully\./);
        const again = await manage(argv);
        assert.equal(again.status, 1);
        assert.match(again.stderr, /CommandError: Error: That username is already taken\./);
      } finally {
        delete process.env["DJANGO_SUPERUSER_PASSWORD"];
      }
      const code = "import os; from django.contrib.auth import authenticate; print(authenticate(username='ada', password='a-distinctive-password'), [name for name in os.environ if 'SUPERUSER' in name])";
      assert.equal(await shell(code), "ada []\n");
    });

    test("fixtures come by standard input, data go to standard output, and a file stays where it does not last", async () => {
      const fixture = JSON.stringify([1, 2].map((pk) => ({ model: "things.thing", pk, fields: { name: `Nº ${pk} ü` } })));
      assert.match(await managed(["loaddata", "--format", "json", "-"], fixture), /Installed 2 object\(s\) from 1 fixture\(s\)/);
      const dumped = JSON.parse(await managed(["dumpdata", "things"])) as { fields: { name: string } }[];
      assert.deepEqual(dumped.map(({ fields }) => fields.name), ["Nº 1 ü", "Nº 2 ü"]);
      const { status, stderr } = await manage(["dumpdata", "things", "-o", "things/left.json"]);
      assert.equal(status, 0, stderr);
      assert.match(stderr, /things\/left\.json was written inside the Worker, where it does not last/);
      assert.ok(!existsSync(join(built.project.root, "things", "left.json")));
      assert.doesNotMatch((await manage(["check"])).stderr, /left\.json/);
    });

    test("what a command and a request write beside each other goes to whom it belongs", async () => {
      site.logs.length = 0;
      const command = manage(["shell", "--no-imports", "-c", "import logging, sys, time\nfor i in range(20):\n    print(f'of the command {i}')\n    time.sleep(0.05)\nlogging.getLogger('things').warning('a warning of the command')\nprint('an error of the command', file=sys.stderr)"]);
      for (let i = 0; i < 5; i++) await send(site.url, "/log/");
      const { status, stdout, stderr } = await command;
      assert.equal(status, 0, stderr);
      assert.equal(stdout, Array.from({ length: 20 }, (_, i) => `of the command ${i}\n`).join(""));
      assert.equal(stderr, "a warning of the command\nan error of the command\n");
      assert.ok(await logged(site, /a printed line/, 5), JSON.stringify(site.logs));
      assert.ok(await logged(site, /an info record/, 5), JSON.stringify(site.logs));
      assert.ok(!site.logs.some(({ message }) => message.includes("of the command")), JSON.stringify(site.logs));
    });

    test("the site is served by the interpreter that ran the commands, and logs as before", async () => {
      const { text } = await send(site.url, "/interpreter/");
      await managed(["check"]);
      assert.equal((await send(site.url, "/interpreter/")).text, text);
      site.logs.length = 0;
      await send(site.url, "/log/");
      assert.ok(await logged(site, /a printed line|record|nobody handles/, 6), JSON.stringify(site.logs));
    });

    test("errors have their exit codes, and what belongs to this machine is refused", async () => {
      const unknown = await manage(["no_such_command"]);
      assert.equal(unknown.status, 1);
      assert.match(unknown.stderr, /Unknown command: 'no_such_command'/);
      const failing = await manage(["shell", "--no-imports", "-c", "raise ValueError('a distinctive failure')"]);
      assert.equal(failing.status, 1);
      assert.match(failing.stderr, /Traceback[^]*ValueError: a distinctive failure/);
      assert.equal((await manage(["shell", "--no-imports", "-c", "raise SystemExit(3)"])).status, 3);
      const { status, stderr } = await dow(["manage", "--remote", "test"], built.project.root);
      assert.equal(status, 2);
      assert.match(stderr, /test is for this machine: run it without --remote\. \(DOW_USAGE\)/);
    });

    test("a command that ends the interpreter is told of, and the site is served by the next one", async () => {
      const { status, stderr } = await manage(["shell", "--no-imports", "-c", "class Endless:\n    def __repr__(self):\n        return repr(self)\nrepr(Endless())"]);
      assert.equal(status, 1);
      assert.match(stderr, /The Python interpreter died/);
      assert.equal((await send(site.url, "/things/")).status, 200);
      assert.match(await managed(["migrate", "--no-color"]), /No migrations to apply\./);
    });
  });

  test(`${database}: no request from outside reaches a command`, async () => {
    const built = await buildBehaviour(database, kind);
    const site = await serve(built);
    try {
      const body = JSON.stringify({ argv: ["check"], variables: {}, files: false });
      for (const path of ["/", "/Management", "/management/", "/site", "/test"]) {
        for (const headers of [{}, { "mf-binding": "SITE", "mf-url": "http://management/" }, { host: "management" }] as Record<string, string>[]) {
          const { status, text } = await send(site.url, path, { method: "POST", headers, body });
          assert.ok(status === 404 || status === 400, `${path}: ${status}`);
          assert.doesNotMatch(text, /System check identified|"exit"/);
        }
      }
    } finally {
      await site.stop();
    }
  });
}

test("migrate mends a site that could not be started without its tables", async () => {
  const built = await buildProject(asking("mended", { application: `from captured.models import Option\n\nlist(Option.objects.all())\n`, answer: NAMES }), { database: "durable-object", interface: "wsgi" });
  forget(built);
  const { upload } = await uploaded(built.project.root);
  const site = await deployed(built, upload);
  try {
    assert.equal((await send(site.url, "/")).status, 500);
    assert.ok(await logged(site, /could not be started[^]*no such table: captured_option/), JSON.stringify(site.logs));
    let output = "";
    const keep = (text: string) => void (output += text);
    assert.equal(await manageThrough(site.session as never, "mended", ["migrate"], { stdout: keep, stderr: keep }), 0, output);
    assert.deepEqual((await json(site.url, "/"))["found"], []);
  } finally {
    await site.stop();
  }
});

describe("manage --remote", () => {
  const folder = copyProject("captured", "remote");

  test("binds the deployed Worker's entry for commands, and says so when it can't be reached", async () => {
    const { upload, status, stdout, stderr } = await uploaded(folder);
    assert.deepEqual(upload.bindings, [{ name: "SITE", type: "service", service: "remote", entrypoint: "Management" }]);
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, /The deployed Worker remote can't be reached\. It must be deployed, by this version[^]*\(DOW_REMOTE\)/);
  });

  test("tells what Cloudflare has against it", async () => {
    const api = await startApi({ code: 10143, message: "Could not resolve service binding 'SITE'. Target script 'remote' not found." });
    try {
      const { status, stdout, stderr } = await dow(["manage", "--remote", "migrate"], folder, loggedIn(api.url));
      assert.equal(status, 1);
      assert.equal(stdout, "");
      assert.match(stderr, /Target script 'remote' not found/);
      assert.match(stderr, /\(DOW_REMOTE\)/);
    } finally {
      api.stop();
    }
  });

  test("tells how to log in", async () => {
    const { status, stderr } = await dow(["manage", "--remote", "migrate"], folder, { CLOUDFLARE_API_TOKEN: undefined, WRANGLER_HOME: folder, XDG_CONFIG_HOME: folder, HOME: folder });
    assert.equal(status, 1);
    assert.match(stderr, /Wrangler logged in \(wrangler login, or the variable CLOUDFLARE_API_TOKEN\)/);
  });
});
