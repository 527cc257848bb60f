/** What a project wants installed, from its requirements files or pyproject.toml. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { UserError } from "../contract/errors.ts";
import { digest } from "./cache.ts";
import { projectFiles } from "./files.ts";
import { isTable, type Table } from "./tables.ts";

export interface Requirements {
  /** As in a requirements file; one that goes over several lines there is one here. */
  lines: readonly string[];
  /** Where they come from, for messages. */
  from: string;
  /** Packages that are not installed here, though these or other packages ask for them. */
  excluded: readonly string[];
  /** A uv.lock with the versions of these. */
  lock: string | undefined;
  /** Of the files that the lines name. */
  digest: string;
}

/** Tools that keep requirements in a format of their own: how one knows it, and a command that writes a requirements file. */
const ELSEWHERE: readonly [of: string, command: string, isThere: (root: string, tool: Table) => boolean][] = [
  ["Poetry's", "poetry export --output requirements.txt", (_, tool) => isTable(tool["poetry"]) && "dependencies" in tool["poetry"]],
  ["a Pipfile's", "pipenv requirements > requirements.txt", (root) => existsSync(join(root, "Pipfile"))],
];

/**
 * The requirements of the project in `root`.
 *
 * @param own `[tool.django-on-workers]`: `requirements` is the path of a requirements file, `requirements.txt` where it says nothing.
 * @throws UserError `DOW_NO_REQUIREMENTS`, `DOW_CONFIG_INVALID`.
 */
export function readRequirements(root: string, pyproject: Table, own: Table, settingsModule: string): Requirements {
  const named = own["requirements"] ?? "requirements.txt";
  const excluded = own["exclude-dependencies"] ?? [];
  if (typeof named !== "string") throw new UserError("DOW_CONFIG_INVALID", "requirements in [tool.django-on-workers] must be the path of a requirements file.");
  if (!Array.isArray(excluded) || !excluded.every((name) => typeof name === "string" && /^[\w.-]+$/.test(name))) {
    throw new UserError("DOW_CONFIG_INVALID", "exclude-dependencies in [tool.django-on-workers] must be a list of packages' names, without versions.");
  }
  const file = join(root, named);
  if (existsSync(file)) return described(root, linesOf(file), named, excluded);
  if (own["requirements"] !== undefined) throw new UserError("DOW_NO_REQUIREMENTS", `requirements in [tool.django-on-workers] is ${named}, which is not there.`);
  const { project, tool } = pyproject;
  const dependencies = isTable(project) ? project["dependencies"] : undefined;
  if (Array.isArray(dependencies)) {
    const lock = join(root, "uv.lock");
    return { ...described(root, dependencies.map(String), "pyproject.toml", excluded), ...(existsSync(lock) && { lock }) };
  }
  for (const [of, command, isThere] of ELSEWHERE) {
    if (isThere(root, isTable(tool) ? tool : {})) {
      throw new UserError("DOW_NO_REQUIREMENTS", `The project's requirements are in ${of} format. Write them to a requirements.txt: ${command}`);
    }
  }
  // What startproject writes names no requirements; its settings say which Django wrote them.
  const settings = join(root, `${settingsModule.replaceAll(".", "/")}.py`);
  const written = existsSync(settings) ? /using Django (\d+\.\d+)/.exec(readFileSync(settings, "utf8"))?.[1] : undefined;
  const django = written === undefined ? "Django" : `Django==${written}.*`;
  return described(root, [django], "the Django that its settings name, for want of a requirements.txt", excluded);
}

/** An option that names a file or folder. */
const NAMING = /^(-r|--requirement|-c|--constraint|-f|--find-links)[\s=]\s*(\S+)/;
const EDITABLE = /^(?:-e|--editable)[\s=]\s*/;

function linesOf(file: string): string[] {
  return readFileSync(file, "utf8")
    .replaceAll(/\s*\\\r?\n\s*/g, " ")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .flatMap((line) => {
      const [, option, named] = NAMING.exec(line) ?? [];
      if (option === undefined || named === undefined || named.includes("://")) return [line.replace(EDITABLE, "")];
      // What such a file names is meant from where it lies; packages in folders are meant from the project's.
      const path = resolve(file, "..", named);
      if (!existsSync(path)) throw new UserError("DOW_NO_REQUIREMENTS", `${file} includes ${named}, which is not there.`);
      return option === "-r" || option === "--requirement" ? linesOf(path) : [`${option} ${path}`];
    });
}

function described(root: string, lines: readonly string[], from: string, excluded: readonly string[]): Requirements {
  return { lines, from, excluded, lock: undefined, digest: digest(...lines.flatMap((line) => contentsOf(root, line))) };
}

/** A path in a line: of constraints or wheels, or of a package, by itself or behind its name. */
const PATH = /^(?:--?[\w-]+\s+|[\w.-]+(?:\[[^\]]*\])?\s*@\s*(?:file:(?:\/\/)?)?)?((?:\.|[^\s;[]*\/)[^\s;[]*)/;

/** Contents of the file, or of the folder's files, that a line names. */
function contentsOf(root: string, line: string): (string | Uint8Array)[] {
  const named = PATH.exec(line)?.[1];
  const path = resolve(root, named ?? "");
  const found = named === undefined ? undefined : statSync(path, { throwIfNoEntry: false });
  if (found?.isFile()) return [readFileSync(path)];
  return found?.isDirectory() ? [...projectFiles(path)].flatMap(([name, absolute]) => [name, readFileSync(absolute)]) : [];
}

/** https://packaging.python.org/en/latest/specifications/name-normalization/ */
const normalized = (name: string): string => name.replaceAll(/[-_.]+/g, "-").toLowerCase();

/** Whether two names are of the same package. */
export const isSame = (name: string, other: string): boolean => normalized(name) === normalized(other);

/** Whether it has the hashes of what may be installed for it. */
export const isHashed = (requirement: string): boolean => requirement.includes("--hash=");

/** Whether a requirement is one for this package. */
export const isFor = (name: string, requirement: string): boolean => isSame(name, /^[\w.-]+/.exec(requirement)?.[0] ?? "");
