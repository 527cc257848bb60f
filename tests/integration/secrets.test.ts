/** What the environment holds during a build is in no artefact; what it holds in the running Worker is what counts. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, test } from "node:test";
import { zstdDecompressSync } from "node:zlib";
import { readArchive, unpack, type Packed } from "../../packages/django-on-workers/src/build/archive.ts";
import { IMAGE, readContainer, type ImageHeader } from "../../packages/django-on-workers/src/contract/bytes.ts";
import { writeVariables } from "../support/behaviour.ts";
import { json } from "../support/http.ts";
import { buildProject, copyProject, filesBelow, takeShared, type Recorded } from "../support/project.ts";
import { logged, serve } from "../support/worker.ts";

/** Values that occur nowhere else. */
const IN_ENVIRONMENT = { SECRET_KEY: "9f2c71ab-environment-secret-key", API_TOKEN: "9f2c71ab-environment-token" };
const IN_FILE = { API_TOKEN: "9f2c71ab-file-token" };
const IN_CONFIGURATION = "9f2c71ab-configured-value";

const bufferOf = (path: string): ArrayBuffer => new Uint8Array(readFileSync(path)).buffer;

/** Everything that an artefact holds, as it is and unpacked. */
function* contents(folder: string): Generator<[name: string, bytes: Uint8Array]> {
  for (const path of filesBelow(folder)) {
    const name = relative(folder, path);
    const bytes = readFileSync(path);
    yield [name, bytes];
    if (name.endsWith("image.bin")) {
      const { header, body } = readContainer<ImageHeader>(IMAGE, bufferOf(path));
      let position = 0;
      const memory = Buffer.alloc(header.memory);
      for (const [offset, , packed] of header.chunks) {
        zstdDecompressSync(body.subarray(position, position + packed)).copy(memory, offset);
        position += packed;
      }
      yield [`${name}, unpacked`, memory];
    }
    if (name.endsWith("files.bin")) {
      const archive = Buffer.concat([bytes, readFileSync(path.replace(/files\.bin$/, "contents.bin"))]);
      const blocks = new Map<Packed["block"], Uint8Array>();
      for (const [file, { block, offset, length }] of readArchive(archive)) {
        if (!blocks.has(block)) blocks.set(block, unpack({ block, offset: 0, length: block.length }));
        yield [`${name}: ${file}`, (blocks.get(block) as Uint8Array).subarray(offset, offset + length)];
      }
    }
  }
}

/** What names the artefacts that hold a text, as UTF-8 or in two or four bytes a character, as Python may keep it. */
function searched(folder: string): (text: string) => string[] {
  const artefacts = [...contents(folder)].map(([name, bytes]) => [name, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)] as const);
  return (text) => {
    const wide = Buffer.from(text, "utf16le");
    const wider = Buffer.from([...text].flatMap((letter) => [letter.charCodeAt(0), 0, 0, 0]));
    const forms = [Buffer.from(text), wide, wider, Buffer.from(Buffer.from(text).toString("base64").slice(0, -4))];
    return artefacts.filter(([, bytes]) => forms.some((form) => bytes.includes(form))).map(([name]) => name);
  };
}

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

/** A project whose settings read a key, with a default, and a token, and whose views begin with `kept`; they answer what `answer` says. */
function keeping(label: string, kept: string, answer: string): string {
  const folder = copyProject("captured", label);
  appendFileSync(join(folder, "config", "settings.py"), `SECRET_KEY = os.environ.get("SECRET_KEY", "for development")\nAPI = os.environ.get("API")\nSERVICE = {"name": "mail", "tokens": [os.environ.get("API_TOKEN", "")]}\n`);
  const settings = join(folder, "config", "settings.py");
  writeFileSync(settings, readFileSync(settings, "utf8").replace('SECRET_KEY = os.environ["SECRET_KEY"]\n', ""));
  writeFileSync(join(folder, "captured", "views.py"), `from django.conf import settings\nfrom django.http import JsonResponse\n\n${kept}\n\ndef index(request):\n    return JsonResponse({"found": ${answer}, "view": "a text of the view's own"})\n`);
  return folder;
}

const { SECRET_KEY: _, API_TOKEN: __, ...WITHOUT } = process.env;

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
    writeVariables(folder, BUILT);
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

  test("in the settings, a yes or no: the image holds it, and a Worker that decides otherwise says so", async () => {
    const folder = decided("decided", "KEPT = 'on' if settings.PRODUCTION else 'off'\n");
    const recorded: Recorded = { steps: [], warnings: [] };
    const built = await buildProject(folder, { environment: { ...WITHOUT, ...PRODUCTION }, recorded });
    assert.deepEqual(recorded.warnings, []);
    for (const [STAGE, told] of [["production", false], ["testing", true]] as const) {
      writeVariables(folder, { STAGE });
      const site = await serve(built);
      try {
        assert.equal((await json(site.url, "/")).found, "on");
        const sentence = /PRODUCTION is False here, otherwise than when this was built, and by then captured\.views has read it\./;
        if (told) assert.ok(await logged(site, sentence), JSON.stringify(site.logs));
        assert.equal(site.logs.some(({ level, message }) => level === "warn" && sentence.test(message)), told, JSON.stringify(site.logs));
      } finally {
        await site.stop();
      }
    }
  });

  test("with a text that the settings name: the image holds all that follows, and a Worker that has another says so", async () => {
    const folder = decided("named", "KEPT = [settings.SERVER, settings.STAGE == 'production']\n");
    appendFileSync(join(folder, "config", "settings.py"), `SERVER = {"production": "a server"}.get(STAGE, "none")\n`);
    const recorded: Recorded = { steps: [], warnings: [] };
    const built = await buildProject(folder, { environment: { ...WITHOUT, ...PRODUCTION }, recorded });
    assert.deepEqual(recorded.warnings, []);
    for (const [STAGE, told] of [["production", false], ["testing", true]] as const) {
      writeVariables(folder, { STAGE });
      const site = await serve(built);
      try {
        assert.deepEqual((await json(site.url, "/")).found, ["a server", true]);
        const sentence = /STAGE is set here, otherwise than when this was built, and by then captured\.views has read SERVER, STAGE\./;
        if (told) assert.ok(await logged(site, sentence), JSON.stringify(site.logs));
        assert.equal(site.logs.some(({ level, message }) => level === "warn" && sentence.test(message)), told, JSON.stringify(site.logs));
      } finally {
        await site.stop();
      }
    }
  });

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
