/** What a project wants installed, from its requirements files or pyproject.toml. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../contract/errors.ts";
import { digest } from "./cache.ts";
import { projectFiles } from "./files.ts";
import { isTable, type Table } from "./tables.ts";

export interface Requirements {
  /** As in a requirements file; one that goes over several lines there is one here. */
  lines: readonly string[];
  /** Files of constraints and folders of wheels, as options that both pip and uv have: `--constraint PATH` */
  options: readonly string[];
  /** From where paths in them are meant. */
  folder: string;
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
const ELSEWHERE: readonly [of: string, command: string, isThere: (place: Place) => boolean][] = [
  ["Poetry's", "poetry export --output requirements.txt", ({ pyproject: { tool } }) => isTable(tool) && isTable(tool["poetry"]) && "dependencies" in tool["poetry"]],
  ["a Pipfile's", "pipenv requirements > requirements.txt", ({ folder }) => existsSync(join(folder, "Pipfile"))],
];

/** A folder in which requirements may be. */
export interface Place {
  folder: string;
  /** What its pyproject.toml says, if it has one. */
  pyproject: Table;
}

/**
 * The requirements of a project.
 *
 * @param places The folder of manage.py, and those above it in which they may be.
 * @param own `[tool.django-on-workers]`, and the folder from which its paths are meant: `requirements` is the path of a requirements file, and `exclude-dependencies` a list of names.
 * @throws UserError `DOW_NO_REQUIREMENTS`, `DOW_CONFIG_INVALID`.
 */
export function readRequirements(places: readonly Place[], own: { folder: string; table: Table }, settingsModule: string): Requirements {
  const { requirements: named, "exclude-dependencies": excluded = [] } = own.table;
  if (!Array.isArray(excluded) || !excluded.every((name) => typeof name === "string" && /^[\w.-]+$/.test(name))) {
    throw new UserError("DOW_CONFIG_INVALID", "exclude-dependencies in [tool.django-on-workers] must be a list of packages' names, without versions.");
  }
  if (named !== undefined) {
    if (typeof named !== "string") throw new UserError("DOW_CONFIG_INVALID", "requirements in [tool.django-on-workers] must be the path of a requirements file.");
    if (!existsSync(join(own.folder, named))) throw new UserError("DOW_NO_REQUIREMENTS", `requirements in [tool.django-on-workers] is ${named}, which is not there.`);
    return described(own.folder, contentsOf(join(own.folder, named)), named, excluded);
  }
  for (const place of places) {
    const found = requirementsIn(place, excluded);
    if (found) return found;
  }
  // What startproject writes names no requirements; its settings say which Django wrote them.
  const [{ folder }] = places as [Place];
  const settings = join(folder, `${settingsModule.replaceAll(".", "/")}.py`);
  const written = existsSync(settings) ? /using Django (\d+\.\d+)/.exec(readFileSync(settings, "utf8"))?.[1] : undefined;
  const django = written === undefined ? "Django" : `Django==${written}.*`;
  return described(folder, { lines: [django], options: [] }, "the Django that its settings name, for want of a requirements.txt", excluded);
}

function requirementsIn(place: Place, excluded: readonly string[]): Requirements | undefined {
  const { folder, pyproject: { project } } = place;
  const file = join(folder, "requirements.txt");
  if (existsSync(file)) return described(folder, contentsOf(file), "requirements.txt", excluded);
  const dependencies = isTable(project) ? project["dependencies"] : undefined;
  if (Array.isArray(dependencies)) {
    const lock = join(folder, "uv.lock");
    return { ...described(folder, { lines: dependencies.map(String), options: [] }, "pyproject.toml", excluded), ...(existsSync(lock) && { lock }) };
  }
  for (const [of, command, isThere] of ELSEWHERE) {
    if (isThere(place)) throw new UserError("DOW_NO_REQUIREMENTS", `The project's requirements are in ${of} format. Write them to a requirements.txt: ${command}`);
  }
  return undefined;
}

/** An option that names a file or folder. */
const NAMING = /^(-r|--requirement|-c|--constraint|-f|--find-links)[\s=]\s*(\S.*)/;
const EDITABLE = /^(?:-e|--editable)[\s=]\s*/;

interface Contents {
  lines: string[];
  options: string[];
}

/** What a requirements file says, and those that it includes. What they name is meant from where they lie; packages in folders are not, see `Requirements`. */
function contentsOf(file: string): Contents {
  const contents: Contents = { lines: [], options: [] };
  for (const line of readFileSync(file, "utf8").replaceAll(/\s*\\\r?\n\s*/g, " ").split(/\r?\n/).map((text) => text.trim())) {
    const [, option, named] = NAMING.exec(line.replace(/\s#.*/, "")) ?? [];
    if (option === undefined || named === undefined || named.includes("://")) {
      if (line !== "") contents.lines.push(line.replace(EDITABLE, ""));
      continue;
    }
    const path = resolve(file, "..", named.trim().replace(/^(["'])(.*)\1$/, "$2"));
    if (!existsSync(path)) throw new UserError("DOW_NO_REQUIREMENTS", `${file} includes ${named}, which is not there.`);
    if (option === "-r" || option === "--requirement") {
      const { lines, options } = contentsOf(path);
      contents.lines.push(...lines);
      contents.options.push(...options);
    } else contents.options.push(option.startsWith("-c") || option === "--constraint" ? "--constraint" : "--find-links", path);
  }
  return contents;
}

function described(folder: string, { lines, options }: Contents, from: string, excluded: readonly string[]): Requirements {
  const named = lines.flatMap((line) => placeOf(line)?.of.replace(/^file:(?:\/\/)?/, "") ?? []);
  const paths = [...named, ...options].map((path) => resolve(folder, path));
  return { lines, options, folder, from, excluded, lock: undefined, digest: digest(...paths.flatMap(filesAt)) };
}

/** What the file holds, or the folder's files. */
function filesAt(path: string): (string | Uint8Array)[] {
  const found = statSync(path, { throwIfNoEntry: false });
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

const PLACED = /^(?:[\w.-]+\s*(\[[^\]]*\])?\s*@\s*)?((?:\.|\/|\w+(?:\+\w+)?:|[^\s;[:@]+\/)[^\s;[]*)(\[[^\]]*\])?\s*(;.*)?$/;

/** Of a requirement by where it lies, by itself or behind its name: that path or URL, and what is said besides. */
function placeOf(requirement: string): { of: string; extras: string; marker: string } | undefined {
  const [, before, of, behind, marker = ""] = PLACED.exec(requirement) ?? [];
  return of === undefined ? undefined : { of, extras: before ?? behind ?? "", marker };
}

/** A requirement by where its source is. */
export interface Source {
  /** What pip makes a wheel of. */
  of: string;
  /** The requirement for a wheel of it. */
  as(wheel: string): string;
}

/** Where the source of a requirement is, if it is a folder, an archive of sources or in a repository. */
export function sourceOf(requirement: string): Source | undefined {
  const place = placeOf(requirement);
  if (place === undefined || /\.whl(?:#.*)?$/.test(place.of)) return undefined;
  const { of, extras, marker } = place;
  return { of, as: (wheel) => `${basename(wheel).split("-")[0]}${extras} @ ${pathToFileURL(wheel).href} ${marker}`.trim() };
}
