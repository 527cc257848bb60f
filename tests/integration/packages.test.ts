/** Which packages a project gets: from wheels and sources, of which versions, and without which. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { before, describe, test } from "node:test";
import { Cache } from "../../packages/django-on-workers/dist/build/cache.js";
import { readProject } from "../../packages/django-on-workers/dist/build/project.js";
import { target } from "../../packages/django-on-workers/dist/build/pyodide.js";
import { resolve } from "../../packages/django-on-workers/dist/build/resolve.js";
import { dow, ran } from "../support/command.ts";
import { copyProject, emptyProject, work } from "../support/project.ts";

const environment = join(work, "uv");
const uv = join(environment, "bin", "uv");

before(async () => {
  if (!existsSync(environment)) await ran("python3", ["-m", "venv", environment], work);
  await ran(join(environment, "bin", "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv"], work);
});

/** A folder with these files, those of a run before gone. */
function project(label: string, files: Record<string, string>): string {
  const folder = emptyProject(label);
  for (const [path, contents] of Object.entries({ "manage.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")\n', ...files })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), contents);
  }
  rmSync(join(folder, ".django-on-workers"), { recursive: true, force: true });
  return folder;
}

/** What is installed for it: versions by the packages' names, and what was told. */
async function installed(folder: string, installer: "uv" | "pip"): Promise<{ packages: string; versions: Record<string, string>; steps: string[]; warnings: string[] }> {
  const [steps, warnings]: [string[], string[]] = [[], []];
  const progress = { step: (step: string) => void steps.push(step), warn: (warning: string) => void warnings.push(warning) };
  const path = process.env["PATH"];
  if (installer === "uv") process.env["PATH"] = [dirname(uv), path].join(delimiter);
  try {
    const packages = await resolve(readProject({ root: folder }), target(), new Cache(join(folder, ".django-on-workers", "cache")), progress);
    const found = readdirSync(packages).flatMap((name) => (name.endsWith(".dist-info") ? [name.slice(0, -".dist-info".length).split("-") as [string, string]] : []));
    return { packages, versions: Object.fromEntries(found.map(([name, version]) => [name.toLowerCase(), version])), steps, warnings };
  } finally {
    process.env["PATH"] = path;
  }
}

const builtIn = (steps: readonly string[]): string[] => steps.flatMap((step) => /Building (\S+) from its source/.exec(step)?.[1]?.toLowerCase() ?? []);

test("a project runs with packages built from their sources, and with its empty folders", async () => {
  const folder = copyProject("databases", "from-source");
  mkdirSync(join(folder, "data", "uploads"), { recursive: true });
  writeFileSync(join(folder, ".dev.vars"), "SECRET_KEY=for the tests\n");
  // Sources alone; wheels with native code alone, which is optional; one that needs such a one. A comment that no earlier run had: what is kept would not be built.
  writeFileSync(join(folder, "requirements.txt"), `Django>=5.2,<6.2\ndocopt\nPyYAML<6.0.3\nJinja2\n# ${Date.now()}\n`);
  const program = `
import docopt, jinja2, markupsafe, pathlib, yaml
print(docopt.docopt("Usage: prog --level=N", ["--level=3"])["--level"])
print(yaml.safe_load("places: [Lyon, Köln]"), yaml.__with_libyaml__, yaml.__version__ < "6.0.3")
print(jinja2.Template("{{ name }}").render(name="Ada"), markupsafe.escape("<b>"))
uploads = pathlib.Path("data", "uploads")
uploads.joinpath("a.txt").write_text("a")
print([path.name for path in uploads.iterdir()])
`;
  const { status, stdout, stderr } = await dow(["manage", "shell", "--no-imports", "--command", program], folder);
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split("\n"), ["3", "{'places': ['Lyon', 'Köln']} False True", "Ada &lt;b&gt;", "['a.txt']"]);
  assert.deepEqual(builtIn(stderr.split("\n")).toSorted(), ["docopt", "markupsafe", "pyyaml"]);
});

for (const installer of ["pip", "uv"] as const) {
  describe(`with ${installer}`, () => {
    test("requirements come from files in files, wheels, sources and folders, with limits, and without what is left out", async () => {
      const folder = project(`packages-${installer}`, {
        "pyproject.toml": '[tool.django-on-workers]\nrequirements = "requirements/workers.txt"\nexclude-dependencies = ["psycopg2_binary", "cryptography", "psycopg-binary"]\n',
        "requirements/workers.txt": "-r base.txt\n-e ./lib/greeting\nPyYAML<6.0.3\nJinja2\n",
        "requirements/base.txt": "-c limits.txt\nDjango>=5.2,<6.2\npsycopg2-binary==2.9.10 ; python_version > '3'\npsycopg[binary]\nPyJWT[crypto]\n",
        "requirements/limits.txt": "sqlparse<0.5.3\n",
        "lib/greeting/pyproject.toml": '[project]\nname = "greeting"\nversion = "1.5"\ndependencies = ["docopt"]\n',
        "lib/greeting/greeting.py": "HELLO = 'hello'\n",
      });
      const { packages, versions, steps } = await installed(folder, installer);
      assert.match(steps[0] as string, new RegExp(`of requirements/workers\\.txt with ${installer}$`));
      for (const name of ["greeting.py", "docopt.py", "yaml", "markupsafe", "jwt", "psycopg", "tzdata"]) assert.ok(existsSync(join(packages, name)), name);
      for (const name of ["psycopg2", "psycopg_binary", "cryptography", "cffi"]) assert.ok(!existsSync(join(packages, name)), name);
      assert.deepEqual([versions["pyyaml"], versions["sqlparse"], versions["greeting"]], ["6.0.2", "0.5.2", "1.5"]);
      // uv would build Jinja2 too: of its old versions alone there are no wheels.
      assert.deepEqual(builtIn(steps).filter((name) => name !== "jinja2").toSorted(), ["docopt", "markupsafe", "pyyaml"]);
    });

    test("requirements with hashes are held to them, also where there are sources alone", async () => {
      const files = join(work, "hashed");
      const named = ["Django==5.2.8", "asgiref==3.11.0", "sqlparse==0.5.3", "docopt==0.6.2"];
      await ran("python3", ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--dest", files, ...named], work);
      const hashes = readdirSync(files).map((name) => [name.split("-")[0]?.toLowerCase(), createHash("sha256").update(readFileSync(join(files, name))).digest("hex")]);
      const lines = named.map((requirement) => `${requirement} \\\n    --hash=sha256:${hashes.find(([name]) => requirement.toLowerCase().startsWith(`${name}=`))?.[1]}`);
      const { versions, steps } = await installed(project(`hashes-${installer}`, { "requirements.txt": `${lines.join("\n")}\n` }), installer);
      assert.deepEqual([versions["django"], versions["docopt"], "tzdata" in versions], ["5.2.8", "0.6.2", true]);
      assert.deepEqual(builtIn(steps), ["docopt"]);
      const wrong = lines.map((line) => (line.startsWith("docopt") ? line.replace(/.{64}$/, "0".repeat(64)) : line));
      await assert.rejects(installed(project(`hashes-${installer}`, { "requirements.txt": `${wrong.join("\n")}\n` }), installer), (error: Error & { detail?: string }) => {
        assert.match(`${error.message}\n${error.detail}`, /hash/i);
        return true;
      });
    });
  });
}

test("versions are those of uv.lock, where there is a uv", async () => {
  const pyproject = (django: string): string => `[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["Django${django}", "docopt"]\n[dependency-groups]\ndev = ["numpy"]\n`;
  const folder = project("locked", { "pyproject.toml": pyproject("==5.2.8") });
  await ran(uv, ["lock", "--quiet"], folder);
  writeFileSync(join(folder, "pyproject.toml"), pyproject(">=5.2,<6.2"));
  const locked = await installed(folder, "uv");
  assert.deepEqual([locked.versions["django"], locked.versions["docopt"], locked.versions["numpy"], locked.warnings], ["5.2.8", "0.6.2", undefined, []]);
  rmSync(join(folder, ".django-on-workers"), { recursive: true, force: true });
  const free = await installed(folder, "pip");
  assert.match(free.versions["django"] as string, /^6\.1/);
  assert.match(free.warnings.join("\n"), /^Without uv, uv\.lock is not read/);
});
