/** What settings and modules take variables for and decide by them, in an image that was made without their values. */
import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { writeVariables } from "../support/behaviour.ts";
import { IN_ENVIRONMENT, keeping, searched, WITHOUT } from "../support/environment.ts";
import { json } from "../support/http.ts";
import { buildProject, copyProject, type Recorded } from "../support/project.ts";
import { logged, serve } from "../support/worker.ts";

/** Settings that take variables for more than texts, as many a project's do. */
const TAKING = `
from datetime import timedelta
from urllib.parse import urlsplit

LIMIT = int(os.environ["LIMIT"])
RATE = float(os.environ["RATE"])
PORTS = [int(port) for port in os.environ["PORTS"].split(",")]
url = urlsplit(os.environ["SERVICE_URL"])
SERVICE = {"scheme": url.scheme, "host": url.hostname, "port": url.port, "user": url.username, "password": url.password, "path": url.path}
WEEKS = timedelta(days=7 * LIMIT)


class Box:
    def __init__(self, limit):
        self.limit = limit


BOX = Box(LIMIT)
LEVEL = os.environ.get("LEVEL", "INFO")
LOGGING = {"version": 1, "disable_existing_loggers": False, "loggers": {"captured": {"level": LEVEL}}}
EMAIL_BACKEND = os.environ.get("BACKEND", "django.core.mail.backends.smtp.EmailBackend")
`;

function taking(label: string, kept: string, answer: string): string {
  const folder = keeping(label, kept, answer);
  const settings = join(folder, "config", "settings.py");
  appendFileSync(settings, TAKING);
  return folder;
}

describe("variables that are numbers, URLs and the like", () => {
  const NUMBERS = { LIMIT: "86753091", RATE: "0.86753091", PORTS: "86753,86754" };
  const BUILT = { ...NUMBERS, SERVICE_URL: "amqps://u-9f2c71ab:p-9f2c71ab@h-9f2c71ab.example:8675/v-9f2c71ab", LEVEL: "ERROR", BACKEND: "django.core.mail.backends.dummy.EmailBackend" };
  const HERE = { LIMIT: "12", RATE: "1.5", PORTS: "1,2,3", SERVICE_URL: "redis://name:word@Example.com/0", LEVEL: "DEBUG", BACKEND: "django.core.mail.backends.locmem.EmailBackend" };

  test("settings that take them apart are in the image, without the values, and so are copies that modules keep", async () => {
    const kept = `import logging

LIMIT = settings.LIMIT
PORT = settings.SERVICE["port"]


class Client:
    host = settings.SERVICE["host"]

    def __init__(self, rate, ports):
        self.rate = rate
        self.first = lambda: ports[0]


client = Client(settings.RATE, settings.PORTS)
`;
    const answer = "[LIMIT, client.rate, client.first(), Client.host, PORT, settings.SERVICE['password'], settings.SERVICE['path'], settings.WEEKS.days, settings.EMAIL_BACKEND, logging.getLogger('captured').level]";
    const folder = taking("taking", kept, answer);
    const recorded: Recorded = { steps: [], warnings: [] };
    const built = await buildProject(folder, { environment: { ...WITHOUT, ...BUILT }, recorded });
    const holders = searched(built.folder);
    assert.deepEqual(recorded.warnings, []);
    assert.ok(holders("a text of the view's own").includes("image.bin, unpacked"));
    for (const part of ["9f2c71ab", "86753", "placeholder-SERVICE_URL", "placeholder-service_url", "placeholder.SERVICE"]) assert.deepEqual(holders(part), [], part);
    const [limit, port] = [86753091, 8675];
    for (const [variables, expected] of [
      [BUILT, [limit, 0.86753091, 86753, "h-9f2c71ab.example", port, "p-9f2c71ab", "/v-9f2c71ab", 7 * limit, BUILT.BACKEND, 40]],
      [HERE, [12, 1.5, 1, "example.com", null, "word", "/0", 84, HERE.BACKEND, 10]],
    ] as const) {
      writeVariables(folder, variables);
      const site = await serve(built);
      try {
        assert.deepEqual((await json(site.url, "/")).found, expected);
      } finally {
        await site.stop();
      }
    }
  });

  for (const [index, [kind, made, reads]] of ([
    ["a number", "settings.LIMIT * 2", "LIMIT"],
    ["a text", "f'at most {settings.LIMIT}'", "LIMIT"],
    ["a copy of what the settings have made of one", "settings.WEEKS", "WEEKS"],
    ["what follows from a part of a URL", "(settings.SERVICE['port'] or 0) + 1", "SERVICE"],
    ["a hash of another", "hash(settings.RATE)", "RATE"],
    ["what is the same for most others", "min(settings.LIMIT, 100)", "LIMIT"],
    ["a comparison", "settings.PORTS[0] > 100", "PORTS"],
    ["what is in an object that nothing can be told of", "settings.BOX.limit + 1", "BOX"],
  ] as const).entries()) {
    test(`${kind} that was made of one keeps the project out of the image`, async () => {
      const folder = taking(`taken-${index}`, `KEPT = ${made}\n`, `KEPT == (${made})`);
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(folder, { environment: { ...WITHOUT, ...BUILT }, recorded });
      assert.match(recorded.warnings.join(), new RegExp(`captured\\.views reads ${reads}\\.`));
      writeVariables(folder, HERE);
      const site = await serve(built);
      try {
        assert.equal((await json(site.url, "/")).found, true);
      } finally {
        await site.stop();
      }
    });
  }
});

describe("what is decided by comparing a variable", () => {
  const decided = (label: string, kept: string): string => {
    const folder = keeping(label, kept, "KEPT");
    appendFileSync(join(folder, "config", "settings.py"), `STAGE = os.environ["STAGE"]\nPRODUCTION = STAGE.startswith("prod")\nSERVER = "a server" if PRODUCTION else "none"\n`);
    return folder;
  };
  const PRODUCTION = { STAGE: "production" };

  for (const [how, label, kept, more, found, sentence] of [
    ["by a yes or no of the settings", "decided", "KEPT = 'on' if settings.PRODUCTION else 'off'\n", "", "on", /PRODUCTION is False here, otherwise than when this was built, and by then captured\.views has read it\./],
    [
      "by a text that the settings name",
      "named",
      "KEPT = [settings.SERVER, settings.STAGE == 'production']\n",
      `SERVER = {"production": "a server"}.get(STAGE, "none")\n`,
      ["a server", true],
      /STAGE is set here, otherwise than when this was built, and by then captured\.views has read SERVER, STAGE\./,
    ],
  ] as const) {
    test(`${how}: the image holds what follows, and a Worker that has it otherwise says so`, async () => {
      const folder = decided(label, kept);
      appendFileSync(join(folder, "config", "settings.py"), more);
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(folder, { environment: { ...WITHOUT, ...PRODUCTION }, recorded });
      assert.deepEqual(recorded.warnings, []);
      for (const [STAGE, told] of [["production", false], ["testing", true]] as const) {
        writeVariables(folder, { STAGE });
        const site = await serve(built);
        try {
          assert.deepEqual((await json(site.url, "/")).found, found);
          if (told) assert.ok(await logged(site, sentence), JSON.stringify(site.logs));
          assert.equal(site.logs.some(({ level, message }) => level === "warn" && sentence.test(message)), told, JSON.stringify(site.logs));
        } finally {
          await site.stop();
        }
      }
    });
  }

  for (const [index, [where, kept, reads]] of ([
    ["in the settings, anything else", "KEPT = settings.SERVER", "SERVER"],
    ["in a module, a setting", "KEPT = settings.STAGE == 'production'", "STAGE"],
    ["in a module, a key of a dictionary", "KEPT = {'production': 1}.get(settings.STAGE, 2)", "STAGE"],
    ["in a module, the variable", "KEPT = os.environ['STAGE'].startswith('prod')", "STAGE"],
  ] as const).entries()) {
    test(`${where}: it keeps the project out of the image if a module reads it`, async () => {
      const folder = decided(`deciding-${index}`, `import os\n\n${kept}\n`);
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(folder, { environment: { ...WITHOUT, ...PRODUCTION }, recorded });
      assert.match(recorded.warnings.join(), new RegExp(`captured\\.views reads ${reads}\\.`));
      const found: unknown[] = [];
      for (const STAGE of ["production", "testing"]) {
        writeVariables(folder, { STAGE });
        const site = await serve(built);
        try {
          found.push((await json(site.url, "/")).found);
        } finally {
          await site.stop();
        }
      }
      assert.notEqual(found[0], found[1]);
    });
  }
});

test("variables that modules read themselves and keep as they are: the image holds none, and a start puts the real ones there", async () => {
  const folder = copyProject("captured", "direct");
  const views = `import os

from django.http import JsonResponse

TOKEN = os.environ["API_TOKEN"]
VERBOSE = os.getenv("VERBOSE") == "yes"


class Client:
    url = os.environ.get("SERVICE_URL")

    def __init__(self, **options):
        self.options = options


client = Client(token=TOKEN)


def index(request):
    return JsonResponse({"found": [TOKEN, VERBOSE, Client.url, client.options], "view": "a text of the view's own"})
`;
  writeFileSync(join(folder, "captured", "views.py"), views);
  const variables = { ...IN_ENVIRONMENT, VERBOSE: "yes", SERVICE_URL: "https://9f2c71ab.example/9f2c71ab" };
  const recorded: Recorded = { steps: [], warnings: [] };
  const built = await buildProject(folder, { environment: { ...WITHOUT, ...variables }, recorded });
  const holders = searched(built.folder);
  assert.deepEqual(recorded.warnings, []);
  assert.ok(holders("a text of the view's own").includes("image.bin, unpacked"));
  for (const part of ["9f2c71ab", "placeholder-API_TOKEN", "placeholder-SERVICE_URL"]) assert.deepEqual(holders(part), [], part);
  const told = /(\w+) is (?:not )?set here, otherwise than when this was built, and by then captured\.views has read it\./;
  for (const [here, expected, otherwise] of [
    [{ API_TOKEN: "first", VERBOSE: "yes", SERVICE_URL: "https://first.example" }, ["first", true, "https://first.example", { token: "first" }], []],
    [{ API_TOKEN: "second", VERBOSE: "no" }, ["second", true, null, { token: "second" }], ["SERVICE_URL", "VERBOSE"]],
  ] as const) {
    writeVariables(folder, { SECRET_KEY: "key", ...here });
    const site = await serve(built);
    try {
      assert.deepEqual((await json(site.url, "/")).found, expected);
      if (otherwise.length > 0) assert.ok(await logged(site, told, otherwise.length), JSON.stringify(site.logs));
      assert.deepEqual(site.logs.flatMap(({ message }) => told.exec(message)?.[1] ?? []).toSorted(), otherwise);
    } finally {
      await site.stop();
    }
  }
});

test("a number that the build lacks: what a module made of it is told of where the Worker has it", async () => {
  const folder = keeping("lacking", "KEPT = settings.LIMIT\n", "KEPT");
  appendFileSync(join(folder, "config", "settings.py"), `LIMIT = int(os.environ.get("LIMIT", "10"))\n`);
  const recorded: Recorded = { steps: [], warnings: [] };
  const built = await buildProject(folder, { environment: WITHOUT, recorded });
  assert.deepEqual(recorded.warnings, []);
  for (const [variables, told] of [[{}, false], [{ LIMIT: "12" }, true]] as const) {
    writeVariables(folder, variables);
    const site = await serve(built);
    try {
      assert.equal((await json(site.url, "/")).found, 10);
      const sentence = /LIMIT is set here, otherwise than when this was built, and by then captured\.views has read LIMIT\./;
      if (told) assert.ok(await logged(site, sentence), JSON.stringify(site.logs));
      assert.equal(site.logs.some(({ message }) => sentence.test(message)), told, JSON.stringify(site.logs));
    } finally {
      await site.stop();
    }
  }
});

test("a number that the Wrangler configuration requires is asked for where the machine has none", async () => {
  const folder = keeping("asked", "", "1");
  appendFileSync(join(folder, "config", "settings.py"), `LIMIT = int(os.environ["LIMIT"])\n`);
  writeFileSync(join(folder, "wrangler.jsonc"), JSON.stringify({ secrets: { required: ["LIMIT"] } }));
  await assert.rejects(buildProject(folder, { environment: WITHOUT }), { code: "DOW_SETTINGS_FAILED", message: /no value for LIMIT, which secrets\.required names, .* put one in \.dev\.vars:$/ });
  writeVariables(folder, { LIMIT: "12" });
  const recorded: Recorded = { steps: [], warnings: [] };
  await buildProject(folder, { environment: WITHOUT, recorded });
  assert.deepEqual(recorded.warnings, []);
});

test("settings that can't be run twice keep the project out of the image", async () => {
  const folder = keeping("once", "", "settings.SECRET_KEY");
  appendFileSync(join(folder, "config", "settings.py"), "import captured\n\nif hasattr(captured, 'ran'):\n    raise RuntimeError('once is enough')\ncaptured.ran = True\n");
  const recorded: Recorded = { steps: [], warnings: [] };
  const built = await buildProject(folder, { environment: WITHOUT, recorded });
  assert.match(recorded.warnings.join(), /its settings fail when they run a second time, as they would in a start from an image: RuntimeError: once is enough/);
  writeVariables(folder, { SECRET_KEY: "the real key" });
  const site = await serve(built);
  try {
    assert.equal((await json(site.url, "/")).found, "the real key");
  } finally {
    await site.stop();
  }
});
