/** What is wrong with a project or a machine is told in one line, with what to do. */
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { after, describe, test } from "node:test";
import { strToU8, zipSync } from "fflate";
import { writeVariables } from "../support/behaviour.ts";
import { dow, freePort, type Result } from "../support/command.ts";
import { copyProject, emptyProject, giveShared, work } from "../support/project.ts";

/** The one line, told apart from steps before it and details below it. */
function told({ stderr }: Result, code: string): string {
  const lines = stderr.split("\n").filter((line) => line.startsWith("✘"));
  assert.equal(lines.length, 1, stderr);
  assert.ok(lines[0]?.endsWith(`(${code})`), stderr);
  assert.doesNotMatch(stderr, /\n {4}at /, "no stack of ours");
  return lines[0] as string;
}

describe("a project", () => {
  test("without manage.py", async () => {
    const result = await dow(["build"], emptyProject("no-manage"));
    assert.equal(result.status, 1);
    assert.match(told(result, "DOW_NO_MANAGE_PY"), /There is no manage\.py in .*no-manage.*--project/);
  });

  test("whose settings fail to import shows Python's traceback", async () => {
    const folder = copyProject("captured", "broken-settings");
    writeFileSync(join(folder, "config", "settings.py"), "import os\n\nSECRET_KEY = os.environ['NO_SUCH_NAME_AT_ALL']\n");
    const result = await dow(["build"], folder);
    assert.equal(result.status, 1);
    assert.match(told(result, "DOW_SETTINGS_FAILED"), /config\.settings can't be imported/);
    assert.match(result.stderr, /Traceback \(most recent call last\):/);
    assert.match(result.stderr, /config\/settings\.py", line 3/);
    assert.match(result.stderr, /KeyError: 'NO_SUCH_NAME_AT_ALL'/);
  });

  test("whose time zone does not exist", async () => {
    const folder = copyProject("captured", "broken-zone");
    appendFileSync(join(folder, "config", "settings.py"), '\nTIME_ZONE = "Europe/Pariss"\n');
    const result = await dow(["build"], folder, { SECRET_KEY: "x", API_TOKEN: "y" });
    assert.equal(result.status, 1);
    told(result, "DOW_SETTINGS_FAILED");
    assert.match(result.stderr, /ValueError: Incorrect timezone setting: Europe\/Pariss/);
  });

  const timed = (name: string): string => `{"default": {"ENGINE": "captured.timed", "NAME": ${name}}}`;
  const stored = '{"ENGINE": "django_on_workers.db.durable_object"}';
  for (const [index, [what, databases, refusal]] of ([
    ["a backend of its own over SQLite in memory", timed("':memory:'")],
    ["a backend of its own over a file of SQLite", timed("'db.sqlite3'"), /ImproperlyConfigured: DATABASES\['default'\] names the backend captured\.timed, which keeps its data in a file, .* Name django_on_workers\.db\.durable_object or django_on_workers\.db\.d1 as its ENGINE/],
    ["the object's storage, without a name", `{"default": ${stored}}`],
    ["the object's storage twice", `{"default": ${stored}, "other": ${stored}}`, /ImproperlyConfigured: DATABASES has 'default' and 'other' with the ENGINE django_on_workers\.db\.durable_object, and a Durable Object has one storage, .* Leave one of them/],
  ] as [string, string, RegExp?][]).entries()) {
    test(`whose database is ${what}: ${refusal ? "nothing is written there to be lost" : "as it wants"}`, async () => {
      const folder = copyProject("captured", `database-${index}`);
      mkdirSync(join(folder, "captured", "timed"));
      writeFileSync(join(folder, "captured", "timed", "__init__.py"), "");
      writeFileSync(join(folder, "captured", "timed", "base.py"), "from django.db.backends.sqlite3.base import DatabaseWrapper as Base\n\n\nclass DatabaseWrapper(Base):\n    def get_new_connection(self, conn_params):\n        return super().get_new_connection(conn_params)\n");
      appendFileSync(join(folder, "config", "settings.py"), `\nDATABASES = ${databases}\nINSTALLED_APPS = ["django.contrib.contenttypes"]\n`);
      writeVariables(folder, { SECRET_KEY: "x", API_TOKEN: "y" });
      const result = await dow(["manage", "migrate"], folder);
      giveShared(folder);
      assert.equal(result.status, refusal ? 1 : 0, result.stderr);
      if (refusal) {
        assert.match(result.stderr, refusal);
        assert.doesNotMatch(result.stdout, /OK/);
      } else assert.match(result.stdout, /Applying contenttypes\.0001_initial\.\.\. OK/);
    });
  }

  test("with a file that is no Python names it", async () => {
    const folder = copyProject("captured", "broken-file");
    writeFileSync(join(folder, "captured", "bad.py"), "def f(:\n");
    const result = await dow(["build"], folder, { SECRET_KEY: "x", API_TOKEN: "y" });
    assert.equal(result.status, 1);
    told(result, "DOW_PROJECT_FAILED");
    assert.match(result.stderr, /captured\/bad\.py/);
  });

  test("whose local data can't be opened names the file, and the command ends", async () => {
    const folder = copyProject("captured", "no-data");
    mkdirSync(join(folder, ".wrangler", "state", "v3"), { recursive: true });
    writeFileSync(join(folder, ".wrangler", "state", "v3", "do"), "a file where a folder belongs");
    const result = await dow(["manage", "check"], folder, { SECRET_KEY: "x", API_TOKEN: "y" });
    assert.equal(result.status, 1);
    assert.match(told(result, "DOW_FILE_SYSTEM"), /\.wrangler\/state\/v3\/do can't be used, because/);
  });

  test("with requirements that have no wheel, or need what has none, names them all and says how to leave them out", async () => {
    const folder = copyProject("captured", "no-wheel");
    writeFileSync(join(folder, "requirements.txt"), "Django>=5.2,<6.2\npsycopg2==2.9.10\ndjango-fernet-encrypted-fields\n");
    const result = await dow(["build"], folder);
    assert.equal(result.status, 1);
    const line = told(result, "DOW_REQUIREMENT_HAS_NO_WHEEL");
    assert.match(line, /^✘ psycopg2, cryptography \(from requirements\.txt\): there is no wheel/);
    assert.ok(line.includes('[tool.django-on-workers] exclude-dependencies = ["psycopg2","cryptography"] in pyproject.toml'), line);
  });

  for (const [what, requirements, code, text] of [
    ["an old Django", "Django==5.1.*", "DOW_DJANGO_UNSUPPORTED", /requirements\.txt asks for Django 5\.1; 5\.2 or later is needed/],
    ["no Django", "asgiref", "DOW_NO_REQUIREMENTS", /Django is not among the packages of requirements\.txt/],
  ] as const) {
    test(`with ${what}`, async () => {
      const folder = copyProject("captured", "other-django");
      writeFileSync(join(folder, "requirements.txt"), `${requirements}\n`);
      const result = await dow(["build"], folder);
      assert.equal(result.status, 1);
      assert.match(told(result, code), text);
    });
  }

  test("with a requirement that brings native code names the file", async () => {
    const folder = copyProject("captured", "native");
    const wheel = "fast-1.0-py3-none-any.whl";
    const contents = {
      "fast/__init__.py": "",
      "fast/_fast.so": "an object of another machine",
      "fast-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: fast\nVersion: 1.0\n",
      "fast-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
      "fast-1.0.dist-info/RECORD": "fast/__init__.py,,\nfast/_fast.so,,\nfast-1.0.dist-info/METADATA,,\nfast-1.0.dist-info/WHEEL,,\nfast-1.0.dist-info/RECORD,,\n",
    };
    writeFileSync(join(folder, wheel), zipSync(Object.fromEntries(Object.entries(contents).map(([path, text]) => [path, strToU8(text)]))));
    writeFileSync(join(folder, "requirements.txt"), `Django>=5.2,<6.2\n./${wheel}\n`);
    const result = await dow(["build"], folder);
    assert.equal(result.status, 1);
    assert.match(told(result, "DOW_REQUIREMENT_HAS_NO_WHEEL"), /fast\/_fast\.so is native code, which can't be loaded yet/);
  });
});

describe("a machine", () => {
  test("that can't reach the package index", async () => {
    const folder = copyProject("captured", "no-index");
    writeFileSync(join(folder, "requirements.txt"), `Django>=5.2,<6.2\n# ${Date.now()}: not in the cache\n`);
    const closed = `http://127.0.0.1:${await freePort()}/simple`;
    const result = await dow(["build"], folder, { PIP_INDEX_URL: closed, UV_INDEX_URL: closed, UV_DEFAULT_INDEX: closed, PIP_RETRIES: "0", PIP_CONFIG_FILE: "/dev/null" });
    assert.equal(result.status, 1);
    assert.match(told(result, "DOW_INDEX_UNREACHABLE"), /The package index can't be reached\. Check the network/);
  });

  test("without Python and uv", async () => {
    const folder = copyProject("captured", "no-python");
    writeFileSync(join(folder, "requirements.txt"), `Django>=5.2,<6.2\n# ${Date.now()}: not in the cache\n`);
    const bin = join(work, "bin-without-python");
    rmSync(bin, { recursive: true, force: true });
    mkdirSync(bin, { recursive: true });
    symlinkSync(process.execPath, join(bin, "node"));
    const result = await dow(["build"], folder, { PATH: [bin].join(delimiter) });
    assert.equal(result.status, 1);
    assert.match(told(result, "DOW_NO_PYTHON"), /no Python 3\.11 or later \(python3\) and no uv\. Install one of them/);
  });

  test("whose port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    after(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const result = await dow(["dev"], copyProject("captured", "port"), { PORT: String(port) });
    assert.equal(result.status, 1);
    assert.match(told(result, "DOW_PORT_TAKEN"), new RegExp(`Port ${port} is taken\\. .*--port or PORT`));
  });
});

describe("the command line", () => {
  test("knows its commands, options and values", async () => {
    const folder = emptyProject("usage");
    for (const [args, text] of [
      [["serve"], /There is no command serve; there are build, dev, manage, deploy/],
      [["build", "--bogus"], /--bogus.*See django-on-workers build --help/],
      [["build", "--database", "mysql"], /--database is mysql; it must be durable-object or d1/],
      [["manage"], /Name a management command/],
      [["dev", "--port", "x"], /x is not a port/],
    ] as const) {
      const result = await dow([...args], folder);
      assert.equal(result.status, 2, args.join(" "));
      assert.match(told(result, "DOW_USAGE"), text);
    }
  });

  test("has help for all and for each", async () => {
    const folder = emptyProject("usage");
    for (const name of ["build", "dev", "manage", "deploy"]) {
      const { status, stdout } = await dow([name, "--help"], folder);
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`^django-on-workers ${name}( .*)?: \\w`));
      assert.match(stdout, /--database KIND/);
      assert.match((await dow(["--help"], folder)).stdout, new RegExp(`^  ${name} +\\w`, "m"));
    }
    assert.match((await dow(["--version"], folder)).stdout, /^\d+\.\d+\.\d+\n$/);
  });
});
