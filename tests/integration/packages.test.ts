/** Packages of which the index has no wheel in pure Python: built from their sources. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, test } from "node:test";
import { dow, ran } from "../support/command.ts";
import { copyProject, work } from "../support/project.ts";

/** Sources alone; wheels with native code alone, which is optional; one that needs such a one, and by its versions no new one. */
const REQUIREMENTS = "Django>=5.2,<6.2\ndocopt\nPyYAML<6.0.3\nJinja2\n";
const VARIABLES = { SECRET_KEY: "x", API_TOKEN: "y" };

const PROGRAM = `
import docopt, jinja2, markupsafe, yaml
print(docopt.docopt("Usage: prog --level=N", ["--level=3"])["--level"])
print(yaml.safe_load("places: [Lyon, Köln]"), yaml.__with_libyaml__, yaml.__version__ < "6.0.3")
print(jinja2.Template("{{ name }}").render(name="Ada"), markupsafe.escape("<b>"))
`;

const stepsOf = (stderr: string): string[] => [...stderr.matchAll(/Building (\S+) from its source/g)].map(([, name]) => (name as string).toLowerCase());

describe("packages without a wheel in pure Python", () => {
  test("run, built from their sources", async () => {
    const folder = copyProject("captured", "from-source");
    // A comment that no earlier run had: what is kept would not be built.
    writeFileSync(join(folder, "requirements.txt"), `${REQUIREMENTS}# ${Date.now()}\n`);
    const { status, stdout, stderr } = await dow(["manage", "shell", "--no-imports", "--command", PROGRAM], folder, VARIABLES);
    assert.equal(status, 0, stderr);
    assert.deepEqual(stdout.trim().split("\n"), ["3", "{'places': ['Lyon', 'Köln']} False True", "Ada &lt;b&gt;"]);
    assert.deepEqual(stepsOf(stderr).toSorted(), ["docopt", "markupsafe", "pyyaml"]);
  });

  test("are built where uv installs", async () => {
    const environment = join(work, "uv");
    if (!existsSync(environment)) await ran("python3", ["-m", "venv", environment], work);
    await ran(join(environment, "bin", "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"], work);
    const folder = copyProject("captured", "from-source-uv");
    writeFileSync(join(folder, "requirements.txt"), `${REQUIREMENTS}# ${Date.now()}\n`);
    const { status, stdout, stderr } = await dow(["manage", "shell", "--no-imports", "--command", PROGRAM], folder, {
      ...VARIABLES,
      PATH: [join(environment, "bin"), process.env["PATH"]].join(delimiter),
    });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /Installing the packages of requirements\.txt with uv/);
    assert.match(stdout, /^3\n.*False True\nAda &lt;b&gt;\n$/s);
  });
});
