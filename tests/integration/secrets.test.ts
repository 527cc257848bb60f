/** What the environment holds during a build is in no artefact; what it holds in the running Worker is what counts. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { writeVariables } from "../support/behaviour.ts";
import { IN_ENVIRONMENT, keeping, searched, WITHOUT } from "../support/environment.ts";
import { json } from "../support/http.ts";
import { buildProject, copyProject, takeShared, type Recorded } from "../support/project.ts";
import { logged, serve } from "../support/worker.ts";

const IN_FILE = { API_TOKEN: "9f2c71ab-file-token" };
const IN_CONFIGURATION = "9f2c71ab-configured-value";

describe("a project that reads its secrets in its settings", () => {
  test("the build keeps none of them, and each start sees its own", async () => {
    const folder = copyProject("behaviour", "secrets");
    const configuration = join(folder, "wrangler.jsonc");
    writeFileSync(configuration, readFileSync(configuration, "utf8").replace("configured-FROM_CONFIGURATION", IN_CONFIGURATION));
    writeVariables(folder, IN_FILE);
    const recorded: Recorded = { steps: [], warnings: [] };
    const built = await buildProject(folder, { environment: { ...process.env, ...IN_ENVIRONMENT }, recorded });
    const holders = searched(built.folder);
    assert.deepEqual(recorded.warnings, []);
    // A search that finds nothing proves something only if it finds what is there.
    assert.ok(holders("imported late").some((name) => name.includes("late")));
    assert.ok(holders("django.contrib.sessions.middleware").includes("image.bin, unpacked"));
    for (const secret of [...Object.values(IN_ENVIRONMENT), ...Object.values(IN_FILE), IN_CONFIGURATION]) {
      assert.deepEqual(holders(secret), [], secret);
    }
    for (const value of ["first", "second"]) {
      writeVariables(folder, { SECRET_KEY: `${value} key`, API_TOKEN: `${value} token` });
      const site = await serve(built);
      try {
        const found = await json(site.url, "/settings/");
        assert.equal(found.SECRET_KEY, `${value} key`);
        assert.equal(found.API_TOKEN, `${value} token`);
        assert.equal(found.elsewhere, `${value} token`);
        assert.equal(found.copied, `${value} token`);
        // What a package has set in the image.
        assert.deepEqual(found.later, [12, ["early", "late"]]);
        assert.equal(found.FROM_CONFIGURATION, IN_CONFIGURATION);
      } finally {
        await site.stop();
      }
    }
  });
});

describe("a project that keeps a secret from the moment of an import", () => {
  for (const [environment, variables] of [
    ["with the variable", IN_ENVIRONMENT],
    ["without it", { SECRET_KEY: IN_ENVIRONMENT.SECRET_KEY }],
  ] as const) {
    test(`is told so, and sees the running Worker's value: built ${environment}`, async () => {
      const folder = copyProject("captured", `captured-${Object.keys(variables).length}`);
      rmSync(join(folder, ".django-on-workers"), { recursive: true });
      takeShared(folder);
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(folder, { environment: { ...process.env, ...variables }, recorded });
      const holders = searched(built.folder);
      assert.equal(recorded.warnings.length, 1, JSON.stringify(recorded));
      assert.match(recorded.warnings[0] ?? "", /captured\.views reads API_TOKEN/);
      const again: Recorded = { steps: [], warnings: [] };
      await buildProject(folder, { environment: { ...process.env, ...variables }, recorded: again });
      assert.deepEqual(again, { steps: [], warnings: recorded.warnings });
      for (const secret of Object.values(IN_ENVIRONMENT)) assert.deepEqual(holders(secret), [], secret);
      writeVariables(folder, { SECRET_KEY: "key", API_TOKEN: "the real token" });
      const site = await serve(built);
      try {
        assert.deepEqual(await json(site.url, "/"), { token: "the real token", headers: { authorization: "Bearer the real token" } });
      } finally {
        await site.stop();
      }
    });
  }
});

describe("copies of settings that modules make when they are imported", () => {
  const cases: [kind: string, kept: string, answer: string, found: (key: string, token: string) => unknown][] = [
    ["names of a module", "KEY = settings.SECRET_KEY\nTOKENS = settings.SERVICE['tokens']\n", "[KEY, TOKENS]", (key, token) => [key, [token]]],
    [
      "attributes of classes and objects, and what functions refer to",
      `class Client:
    key = settings.SECRET_KEY

    def __init__(self, token):
        self.token = token
        self.read = lambda: token


client = Client(settings.SERVICE["tokens"][0])
`,
      "[Client.key, client.token, client.read()]",
      (key, token) => [key, token, token],
    ],
    ["one of Django's", "from django.core.signing import Signer\n\nsigner = Signer()\n", "[signer.key, signer.unsign(Signer().sign('text'))]", (key) => [key, "text"]],
  ];
  for (const [index, [kind, kept, answer, found]] of cases.entries()) {
    test(`${kind}: the image holds none, and a start puts the real ones there`, async () => {
      const folder = keeping(`copies-${index}`, kept, answer);
      // The key's variable is one that the build does not know of.
      const environment = { ...WITHOUT, API_TOKEN: IN_ENVIRONMENT.API_TOKEN };
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(folder, { environment, recorded });
      const holders = searched(built.folder);
      assert.deepEqual(recorded.warnings, []);
      assert.ok(holders("a text of the view's own").includes("image.bin, unpacked"));
      assert.deepEqual(holders(IN_ENVIRONMENT.API_TOKEN), []);
      for (const name of ["-API_TOKEN", ".SECRET_KEY"]) assert.deepEqual(holders(`django-on-workers-placeholder${name}`), []);
      for (const [variables, key, token] of [
        [{ SECRET_KEY: "the real key", API_TOKEN: "the real token" }, "the real key", "the real token"],
        [{}, "for development", ""],
      ] as const) {
        writeVariables(folder, variables);
        const site = await serve(built);
        try {
          assert.deepEqual((await json(site.url, "/")).found, found(key, token));
        } finally {
          await site.stop();
        }
      }
    });
  }

  for (const [kind, made] of [
    ["a digest", "hashlib.sha256(settings.SECRET_KEY.encode()).hexdigest()"],
    ["an object in C", "hmac.new(settings.SECRET_KEY.encode(), digestmod='sha256').hexdigest()"],
  ] as const) {
    test(`${kind} that was made of one keeps the project out of the image`, async () => {
      const folder = keeping("made", `import hashlib\nimport hmac\n\nKEPT = ${made}\n`, `KEPT == ${made}`);
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(folder, { environment: WITHOUT, recorded });
      const holders = searched(built.folder);
      assert.match(recorded.warnings.join(), /captured\.views reads SECRET_KEY/);
      assert.deepEqual(holders("a text of the view's own").filter((name) => name.startsWith("image")), []);
      writeVariables(folder, { SECRET_KEY: "the real key", API_TOKEN: "the real token" });
      const site = await serve(built);
      try {
        assert.equal((await json(site.url, "/")).found, true);
      } finally {
        await site.stop();
      }
    });
  }

  const withToken = { API_TOKEN: "the real token" };
  for (const [kind, variables, same, other] of [
    ["absent", {}, {}, withToken],
    ["present", withToken, withToken, {}],
    // Not to be taken for one whose name begins like its own.
    ["present beside another", { ...withToken, API: "another" }, withToken, {}],
    ["no", { API_TOKEN: "no" }, { API_TOKEN: "no" }, { API_TOKEN: "yes" }],
  ] as const) {
    test(`what a module made of a variable that was ${kind} is told of where the Worker has it otherwise, and only there`, async () => {
      const folder = keeping("outdated", "KEPT = any(settings.SERVICE['tokens'])\n", "KEPT");
      const built = await buildProject(folder, { environment: { ...WITHOUT, ...variables } });
      const told = /API_TOKEN is (?:not )?set here, otherwise than when this was built, and by then captured\.views has read SERVICE\./;
      for (const [here, expected] of [[same, false], [other, true]] as const) {
        writeVariables(folder, here);
        const site = await serve(built);
        try {
          assert.equal((await json(site.url, "/")).found, kind !== "absent");
          if (expected) assert.ok(await logged(site, told), JSON.stringify(site.logs));
          assert.equal(site.logs.some(({ level, message }) => level === "warn" && told.test(message)), expected, JSON.stringify(site.logs));
          if (!expected) assert.doesNotMatch(JSON.stringify(site.logs), /otherwise than when this was built/);
        } finally {
          await site.stop();
        }
      }
    });
  }

  test("a secret that the Wrangler configuration requires need not be there when it is built", async () => {
    const folder = keeping("required", "TOKENS = settings.SERVICE['tokens']\n", "TOKENS");
    const settings = join(folder, "config", "settings.py");
    writeFileSync(settings, readFileSync(settings, "utf8").replace('os.environ.get("API_TOKEN", "")', 'os.environ["API_TOKEN"]'));
    writeFileSync(join(folder, "wrangler.jsonc"), JSON.stringify({ secrets: { required: ["SECRET_KEY", "API_TOKEN"] } }));
    const recorded: Recorded = { steps: [], warnings: [] };
    const built = await buildProject(folder, { environment: WITHOUT, recorded });
    assert.deepEqual(recorded.warnings, []);
    writeVariables(folder, { SECRET_KEY: "the real key", API_TOKEN: "the real token" });
    const site = await serve(built);
    try {
      assert.deepEqual((await json(site.url, "/")).found, ["the real token"]);
      assert.doesNotMatch(JSON.stringify(site.logs), /otherwise than when this was built/);
    } finally {
      await site.stop();
    }
  });
});

test("settings in a package's own module are read again too", async () => {
  const folder = copyProject("captured", "settings-package");
  const settings = join(folder, "config", "settings");
  mkdirSync(settings);
  renameSync(`${settings}.py`, join(settings, "base.py"));
  writeFileSync(join(settings, "__init__.py"), 'import os\n\nfrom .base import *\n\nFROM_PACKAGE = os.environ["API_TOKEN"]\n');
  const view = "from django.conf import settings\nfrom django.http import JsonResponse\n\n\ndef index(request):\n    return JsonResponse({name: getattr(settings, name) for name in ('SECRET_KEY', 'FROM_PACKAGE')})\n";
  writeFileSync(join(folder, "captured", "views.py"), view);
  const recorded: Recorded = { steps: [], warnings: [] };
  const built = await buildProject(folder, { environment: { ...process.env, ...IN_ENVIRONMENT }, recorded });
  const holders = searched(built.folder);
  assert.deepEqual(recorded.warnings, []);
  for (const secret of Object.values(IN_ENVIRONMENT)) assert.deepEqual(holders(secret), [], secret);
  for (const value of ["first", "second"]) {
    writeVariables(folder, { SECRET_KEY: `${value} key`, API_TOKEN: `${value} token` });
    const site = await serve(built);
    try {
      assert.deepEqual(await json(site.url, "/"), { SECRET_KEY: `${value} key`, FROM_PACKAGE: `${value} token` });
    } finally {
      await site.stop();
    }
  }
});

/** A view whose text is in an image that holds the project, and an application around Django's that keeps a variable. */
const VIEW = `from django.http import JsonResponse


def index(request):
    return JsonResponse({"view": "a text of the view's own", "token": request.META["TOKEN"]})
`;
const KEEPING = `
TOKEN = os.environ.get("API_TOKEN", "a default")
django_application = application


def application(environ, start_response):
    return django_application({**environ, "TOKEN": TOKEN}, start_response)
`;

test("a WSGI module may read the environment: it runs in every start, and the rest is in the image", async () => {
  const folder = copyProject("captured", "reading-application");
  writeFileSync(join(folder, "captured", "views.py"), VIEW);
  appendFileSync(join(folder, "config", "wsgi.py"), KEEPING);
  const recorded: Recorded = { steps: [], warnings: [] };
  const built = await buildProject(folder, { environment: { ...process.env, ...IN_ENVIRONMENT }, recorded });
  const holders = searched(built.folder);
  assert.deepEqual(recorded.warnings, []);
  assert.ok(holders("a text of the view's own").includes("image.bin, unpacked"));
  for (const secret of Object.values(IN_ENVIRONMENT)) assert.deepEqual(holders(secret), [], secret);
  for (const value of ["first", "second"]) {
    writeVariables(folder, { SECRET_KEY: `${value} key`, API_TOKEN: `${value} token` });
    const site = await serve(built);
    try {
      assert.deepEqual(await json(site.url, "/"), { view: "a text of the view's own", token: `${value} token` });
    } finally {
      await site.stop();
    }
  }
});
