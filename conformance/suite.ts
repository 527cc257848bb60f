/** Django's own test suite as a project: the folder `tests` of a release's sdist, and what runs it. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Build, Database } from "../packages/django-on-workers/dist/build/index.js";
import { root } from "../scripts/lib/prepare.mjs";
import { environment } from "../scripts/lib/venv.mjs";
import { ran } from "../tests/support/command.ts";
import { buildProject, emptyProject, work } from "../tests/support/project.ts";

/** manage.py, settings and the command that runs the suite. */
export const runner = join(root, "conformance", "project");
/** The backends over SQLite in memory, with the limits of Workers set. */
const limited = join(root, "packages", "django-on-workers", "python", "tests", "db");

const pip = (): string[] => [environment("pip", ["pip"]), "-m", "pip"];

/** The newest release of a series such as `6.1`. */
export async function newestRelease(series: string): Promise<string> {
  const [python = "", ...module] = pip();
  const question = ["install", "--dry-run", "--quiet", "--disable-pip-version-check", "--ignore-installed", "--no-deps", "--ignore-requires-python", "--report", "-"];
  const answer = JSON.parse(await ran(python, [...module, ...question, `Django==${series}.*`], root)) as { install: { metadata: { version: string } }[] };
  const version = answer.install[0]?.metadata.version;
  if (version === undefined) throw new Error(`There is no Django ${series}.`);
  return version;
}

/** The sdist of a release, fetched once and unpacked. */
export async function sdist(release: string): Promise<string> {
  const folder = join(work, "sdist", release);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}.draft`;
  mkdirSync(draft, { recursive: true });
  const [python = "", ...module] = pip();
  await ran(python, [...module, "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:", "--ignore-requires-python", "--dest", draft, `Django==${release}`], draft);
  const archive = readdirSync(draft).find((name) => name.endsWith(".tar.gz"));
  if (archive === undefined) throw new Error(`There is no sdist of Django ${release}.`);
  await ran("tar", ["-xzf", archive, "--strip-components", "1"], draft);
  if (existsSync(folder)) rmSync(draft, { recursive: true });
  else renameSync(draft, folder);
  return folder;
}

/** Packages that the suite uses where they are there, and that are pure Python: the same here and natively. */
export const EXTRAS = ["docutils", "tblib", "tzdata"];

/** Wrong on purpose: a build refuses them, so they travel under another name, which the runner undoes. */
const INVALID = ["test_runner_apps/tagged/tests_syntax_error.py", "i18n/commands/locale/ja/LC_MESSAGES/django.po"];
const HELD_BACK = ".held-back";

/** Less than all of a suite, for a build that takes less. */
export interface Part {
  apps: readonly string[];
  /** What requirements.txt has; the release itself must be what that installs. */
  requirements: string;
}

/**
 * The suite of a release as a project, built for a database: in the same folder for all, so that its two thousand files
 * are compiled once. What was built for another database before is gone then. A part lies in a folder beside it.
 */
export async function buildSuite(release: string, database: Database, part?: Part): Promise<Build> {
  const tests = join(await sdist(release), "tests");
  const folder = emptyProject(`conformance-${release}${part ? "-part" : ""}`);
  const left = new Set(part ? (await appsOf(release)).filter((app) => !part.apps.includes(app)).map((app) => join(tests, app)) : []);
  cpSync(tests, folder, { recursive: true, filter: (path) => !path.endsWith("__pycache__") && !left.has(path) });
  for (const path of INVALID) {
    if (existsSync(join(folder, path))) renameSync(join(folder, path), join(folder, `${path}${HELD_BACK}`));
  }
  cpSync(runner, folder, { recursive: true, filter: (path) => !path.endsWith("__pycache__") });
  for (const name of ["__init__.py", "limited_sqlite.py", "backends"]) {
    cpSync(join(limited, name), join(folder, "tests", "db", name), { recursive: true, filter: (path) => !path.endsWith("__pycache__") });
  }
  writeFileSync(join(folder, "tests", "__init__.py"), "");
  writeFileSync(join(folder, "pyproject.toml"), `[tool.django-on-workers]\nsettings = "suite_${database.replace("-", "_")}"\n`);
  writeFileSync(join(folder, "requirements.txt"), part?.requirements ?? [`Django==${release}`, ...EXTRAS, ""].join("\n"));
  if (database === "d1") {
    const d1_databases = ["DB", "OTHER"].map((binding) => ({ binding, database_name: binding.toLowerCase() }));
    writeFileSync(join(folder, "wrangler.json"), JSON.stringify({ d1_databases }));
  }
  // With the packages' sources, as in development: tracebacks and inspect.getsource() need them.
  return buildProject(folder, { database, sources: true });
}

/** How much Python an app of the suite has, in bytes. */
export async function sizesOf(release: string): Promise<(app: string) => number> {
  const tests = join(await sdist(release), "tests");
  return (app) => {
    if (!existsSync(join(tests, app))) return 0;
    const sources = readdirSync(join(tests, app), { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".py"));
    return sources.reduce((bytes, path) => bytes + statSync(join(tests, app, path)).size, 0);
  };
}

/** The newest Python that a release names among its classifiers, as minor versions. */
export async function pythonsOf(release: string): Promise<number[]> {
  const pyproject = readFileSync(join(await sdist(release), "pyproject.toml"), "utf8");
  return [...pyproject.matchAll(/Python :: 3\.(\d+)"/g)].map(([, minor]) => Number(minor));
}

/** The apps of a release's suite, as its runner finds them: packages beside it. */
export async function appsOf(release: string): Promise<string[]> {
  const tests = join(await sdist(release), "tests");
  return readdirSync(tests).filter((name) => existsSync(join(tests, name, "__init__.py"))).sort();
}
