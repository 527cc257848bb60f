/** Packages of which the index has no wheel in pure Python: built from their sources. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { Cache } from "../../packages/django-on-workers/dist/build/cache.js";
import { readProject } from "../../packages/django-on-workers/dist/build/project.js";
import { target } from "../../packages/django-on-workers/dist/build/pyodide.js";
import { resolve } from "../../packages/django-on-workers/dist/build/resolve.js";
import { dow, ran } from "../support/command.ts";
import { copyProject, work } from "../support/project.ts";

/** Sources alone; wheels with native code alone, which is optional; one that needs such a one, and by its versions no new one. */
const REQUIREMENTS = "Django>=5.2,<6.2\ndocopt\nPyYAML<6.0.3\nJinja2\n";

const PROGRAM = `
import docopt, jinja2, markupsafe, yaml
print(docopt.docopt("Usage: prog --level=N", ["--level=3"])["--level"])
print(yaml.safe_load("places: [Lyon, Köln]"), yaml.__with_libyaml__, yaml.__version__ < "6.0.3")
print(jinja2.Template("{{ name }}").render(name="Ada"), markupsafe.escape("<b>"))
`;

const stepsOf = (stderr: string): string[] => [...stderr.matchAll(/Building (\S+) from its source/g)].map(([, name]) => (name as string).toLowerCase());

describe("packages without a wheel in pure Python", () => {
  test("run, built from their sources", async () => {
    const folder = copyProject("databases", "from-source");
    writeFileSync(join(folder, ".dev.vars"), "SECRET_KEY=for the tests\n");
    // A comment that no earlier run had: what is kept would not be built.
    writeFileSync(join(folder, "requirements.txt"), `${REQUIREMENTS}# ${Date.now()}\n`);
    const { status, stdout, stderr } = await dow(["manage", "shell", "--no-imports", "--command", PROGRAM], folder);
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.trim().split("\n"), ["3", "{'places': ['Lyon', 'Köln']} False True", "Ada &lt;b&gt;"]);
    // uv would build Jinja2 too: of its old versions alone there are no wheels.
    assert.deepEqual(stepsOf(stderr).filter((name) => name !== "jinja2").toSorted(), ["docopt", "markupsafe", "pyyaml"]);
  });

  test("are built where uv installs", async (t) => {
    const environment = join(work, "uv");
    if (!existsSync(environment)) await ran("python3", ["-m", "venv", environment], work);
    await ran(join(environment, "bin", "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"], work);
    const folder = copyProject("databases", "from-source-uv");
    writeFileSync(join(folder, "requirements.txt"), `${REQUIREMENTS}# ${Date.now()}\n`);
    const path = process.env["PATH"];
    process.env["PATH"] = [join(environment, "bin"), path].join(delimiter);
    t.after(() => void (process.env["PATH"] = path));
    const steps: string[] = [];
    const progress = { step: (step: string) => void steps.push(step), warn: assert.fail };
    const packages = await resolve(readProject({ root: folder }), target(), new Cache(join(folder, ".django-on-workers", "cache")), progress);
    assert.match(steps[0] as string, /with uv$/);
    for (const name of ["docopt.py", "jinja2", "markupsafe", "yaml"]) assert.ok(existsSync(join(packages, name)), name);
    assert.ok(readdirSync(packages).some((name) => /^pyyaml-6\.0\.2\.dist-info$/i.test(name)), "the newest that is wanted");
  });
});
