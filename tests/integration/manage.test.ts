/** Management commands inside the runtime. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { Build } from "../../packages/django-on-workers/dist/build/index.js";
import { buildBehaviour, DATABASES, VARIABLES, writeVariables } from "../support/behaviour.ts";
import { dow } from "../support/command.ts";
import { json } from "../support/http.ts";
import { buildProject, copyProject, root } from "../support/project.ts";
import { forget, manage, managed, serve } from "../support/worker.ts";

for (const database of DATABASES) {
  describe(database, () => {
    let built: Build;
    before(async () => {
      built = await buildBehaviour(database, "wsgi");
      forget(built);
    });

    test("migrate tells what it does, and does it once", async () => {
      const first = await manage(built, "migrate", "--no-color");
      assert.equal(first.status, 0, first.stderr);
      assert.match(first.stderr, /^DATABASES\['default'\] names SQLite and is served by /);
      assert.match(first.stdout, /Applying things\.0001_initial\.\.\. OK\n/);
      assert.match(await managed(built, "migrate", "--no-color"), /No migrations to apply\./);
      assert.match(await managed(built, "showmigrations", "things"), /\[X\] 0001_initial/);
    });

    test("loaddata and dumpdata, to the output and into a file of the project", async () => {
      assert.match(await managed(built, "loaddata", "three"), /Installed 3 object\(s\) from 1 fixture\(s\)/);
      const dumped = JSON.parse(await managed(built, "dumpdata", "things")) as { fields: { name: string } }[];
      assert.deepEqual(dumped.map(({ fields }) => fields.name), ["one", "zwei ü", "trois"]);
      await managed(built, "dumpdata", "things", "-o", "things/dumped.json");
      assert.deepEqual(JSON.parse(readFileSync(join(built.project.root, "things", "dumped.json"), "utf8")), dumped);
    });

    test("createsuperuser without questions, and its error the second time", async () => {
      const argv = ["createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.com"];
      assert.match(await managed(built, ...argv), /Superuser created successfully\./);
      const again = await manage(built, ...argv);
      assert.equal(again.status, 1);
      assert.match(again.stderr, /CommandError: Error: That username is already taken\./);
    });
  });

  describe(`${database}: manage test`, () => {
    test("runs the tests of a project and leaves its data alone", async () => {
      const built = await buildBehaviour(database, "wsgi");
      forget(built);
      await managed(built, "migrate");
      await managed(built, "loaddata", "three");
      for (const time of ["first", "second"]) {
        const { status, stderr, stdout } = await manage(built, "test", "--noinput");
        assert.equal(status, 0, `${time}: ${stdout}${stderr}`);
        assert.match(stderr, /Ran 3 tests/);
      }
      assert.equal((await managed(built, "shell", "--no-imports", "-c", "from things.models import Thing; print(Thing.objects.count())")).trim(), "3");
    });

    test("runs the example's tests", async () => {
      const folder = copyProject("blog", `blog-${database}`, join(root, "examples", "blog"));
      const built = await buildProject(folder, { database });
      const { status, stderr, stdout } = await manage(built, "test", "--noinput");
      assert.equal(status, 0, `${stdout}${stderr}`);
      const ran = Number(/Ran (\d+) tests?/.exec(stderr)?.[1]);
      assert.ok(ran > 20, stderr);
      assert.ok(!existsSync(join(folder, "db.sqlite3")));
    });
  });
}

/** Prints as JSON what can't be imported of the standard library, and what a module that is not in the image says of itself. */
const LIBRARY = `
import importlib, json, pkgutil, sys
def refusal(name):
    try:
        importlib.import_module(name)
    except BaseException as error:
        return repr(error)
folder = next(path for path in sys.path if path.endswith(".zip"))
late = "xml.etree.ElementTree" not in sys.modules
# antigravity opens a browser.
names = [name for _, name, _ in pkgutil.iter_modules([folder]) if name != "antigravity"]
refusals = {name: found for name in names if (found := refusal(name))}
from xml.etree import ElementTree
print(json.dumps({"late": late, "names": names, "refusals": refusals, "cached": ElementTree.__cached__, "doc": ElementTree.__doc__}))
`;

describe("Python's standard library", () => {
  test("is there as bytecode, and every top-level module of it can be imported", async () => {
    const built = await buildBehaviour("durable-object", "wsgi");
    // Some modules print when they are imported.
    const answer = (await managed(built, "shell", "--no-imports", "-c", LIBRARY)).trim().split("\n").at(-1) as string;
    const { late, names, refusals, cached, doc } = JSON.parse(answer) as Record<string, unknown>;
    assert.ok(late, "A module that the image holds shows nothing.");
    assert.ok((names as string[]).length > 150 && (names as string[]).includes("pathlib"));
    assert.deepEqual(refusals, {});
    assert.match(cached as string, /\/xml\/etree\/__pycache__\/ElementTree\.cpython-314\.pyc$/);
    assert.equal(doc, null);
  });
});

describe("a management command", () => {
  const database = "durable-object";
  let built: Build;
  before(async () => {
    built = await buildBehaviour(database, "wsgi");
    forget(built);
  });

  test("an unknown command and a failing one have exit codes and say why", async () => {
    const unknown = await manage(built, "no-such-command");
    assert.equal(unknown.status, 1);
    assert.match(unknown.stderr, /Unknown command: 'no-such-command'/);
    const failing = await manage(built, "shell", "--no-imports", "-c", "1 / 0");
    assert.equal(failing.status, 1);
    assert.match(failing.stderr, /ZeroDivisionError/);
    assert.equal((await manage(built, "shell", "--no-imports", "-c", "import sys; sys.exit(7)")).status, 7);
  });

  test("a command that needs a server or gettext names what to use instead", async () => {
    const { status, stderr } = await manage(built, "runserver");
    assert.equal(status, 1);
    assert.match(stderr, /runserver cannot run inside the runtime: django-on-workers dev serves the project\./);
  });

  test("settings see the command's arguments, and only then", async () => {
    const folder = copyProject("captured", "argv");
    writeFileSync(join(folder, "captured", "views.py"), "from django.conf import settings\nfrom django.http import JsonResponse\n\n\ndef index(request):\n    return JsonResponse({'testing': settings.TESTING})\n");
    writeFileSync(join(folder, "captured", "tests.py"), "from django.conf import settings\nfrom django.test import SimpleTestCase\n\n\nclass Tests(SimpleTestCase):\n    def test_it(self):\n        self.assertIs(settings.TESTING, True)\n");
    appendFileSync(join(folder, "config", "settings.py"), "import sys\nSECRET_KEY = 'a key'\nTESTING = 'test' in sys.argv\n");
    writeFileSync(join(folder, "config", "settings.py"), readFileSync(join(folder, "config", "settings.py"), "utf8").replace('SECRET_KEY = os.environ["SECRET_KEY"]\n', ""));
    const argv = await buildProject(folder, { database });
    const { status, stderr } = await manage(argv, "test");
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Ran 1 test/);
    assert.equal(await managed(argv, "shell", "--no-imports", "-c", "import sys; from django.conf import settings; print(settings.TESTING, sys.argv[:2])"), "False ['manage.py', 'shell']\n");
    const site = await serve(argv);
    assert.deepEqual(await json(site.url, "/"), { testing: false });
    await site.stop();
  });

  test("what the project prints when it is imported comes once, also where a build comes first", async () => {
    const folder = copyProject("captured", "printing");
    writeVariables(folder, { SECRET_KEY: "a key" });
    const said = randomUUID();
    appendFileSync(join(folder, "config", "settings.py"), `print("settings ${said}")\n`);
    writeFileSync(join(folder, "captured", "apps.py"), `from django.apps import AppConfig\n\n\nclass Captured(AppConfig):\n    name = "captured"\n\n    def ready(self):\n        open("/tmp/left-${said}", "w")\n        print("ready ${said}")\n`);
    for (const time of ["first", "second"]) {
      const { status, stdout, stderr } = await dow(["manage", "check"], folder);
      assert.equal(status, 0, stderr);
      assert.equal(stdout, `settings ${said}\nready ${said}\nSystem check identified no issues (0 silenced).\n`, time);
    }
  });

  test("check --deploy gives Django's own warnings", async () => {
    const { status, stderr } = await manage(built, "check", "--deploy");
    assert.equal(status, 0);
    assert.match(stderr, /security\.W009/);
    assert.match(stderr, /System check identified \d+ issues/);
  });

  test("makemigrations writes into the project", async () => {
    const folder = copyProject("behaviour", `behaviour-${database}`);
    writeVariables(folder, VARIABLES);
    const models = join(folder, "things", "models.py");
    writeFileSync(models, readFileSync(models, "utf8").replace("amount =", "colour = models.CharField(max_length=9, default='red')\n    amount ="));
    const changed = await buildProject(folder, { database });
    const output = await managed(changed, "makemigrations", "things", "-n", "colour");
    assert.match(output, /0002_colour\.py/);
    const migration = join(folder, "things", "migrations", "0002_colour.py");
    assert.match(readFileSync(migration, "utf8"), /name='colour'/);
    const rebuilt = await buildProject(folder, { database });
    assert.match(await managed(rebuilt, "migrate", "--no-color"), /Applying things\.0002_colour\.\.\. OK/);
    assert.equal((await manage(rebuilt, "makemigrations", "--check", "--dry-run")).status, 0);
  });
});
