/** A project as it lies on the disk: where its settings, requirements and configuration are. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parse as parseJsonc, type ParseError } from "jsonc-parser";
import { parse as parseToml } from "smol-toml";
import { UserError } from "../contract/errors.ts";
import type { Database, Interface } from "../contract/manifest.ts";
import { readRequirements, type Requirements } from "./requirements.ts";
import { isTable, type Table } from "./tables.ts";

export interface Project {
  root: string;
  settingsModule: string;
  interface: Interface;
  database: Database;
  requirements: Requirements;
  /** The project's own Wrangler configuration, or nothing. */
  wrangler: Record<string, unknown>;
  wranglerFile: string | undefined;
  /** A name for the Worker where the configuration gives none. */
  name: string;
}

export interface ProjectOptions {
  root?: string;
  database?: Database;
  interface?: Interface;
}

const DATABASES: readonly Database[] = ["durable-object", "d1"];
const INTERFACES: readonly Interface[] = ["wsgi", "asgi"];

export function readProject(options: ProjectOptions = {}): Project {
  const root = resolve(options.root ?? ".");
  if (!existsSync(join(root, "manage.py"))) {
    throw new UserError(
      "DOW_NO_MANAGE_PY",
      `There is no manage.py in ${root}. Run this in the folder of a Django project, or name it with --project.`,
    );
  }
  const folders = foldersOf(root);
  // Beside manage.py or, as requirements, above it.
  const configured = folders.find((folder) => existsSync(join(folder, PYPROJECT))) ?? root;
  const table = tableOf(readPyproject(configured));
  const database = options.database ?? oneOf(table, "database", DATABASES) ?? "durable-object";
  const settingsModule = settingsOf(root, table);
  const { file, contents } = readWrangler(root);
  checkPlatform(file, contents);
  return {
    root,
    settingsModule,
    interface: options.interface ?? oneOf(table, "interface", INTERFACES) ?? "wsgi",
    database,
    requirements: readRequirements(folders.map((folder) => ({ folder, pyproject: readPyproject(folder) })), { folder: configured, table }, settingsModule),
    wrangler: contents,
    wranglerFile: file,
    name: slug(basename(root)),
  };
}

const PYPROJECT = "pyproject.toml";

/** The project's folder and, in a git repository, those above it. */
function foldersOf(root: string): string[] {
  const folders = [root];
  for (let folder = root; !existsSync(join(folder, ".git")); folders.push(folder)) {
    if (folder === dirname(folder)) return [root];
    folder = dirname(folder);
  }
  return folders;
}

function readPyproject(folder: string): Table {
  const path = join(folder, PYPROJECT);
  if (!existsSync(path)) return {};
  try {
    return parseToml(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UserError("DOW_CONFIG_INVALID", `pyproject.toml is not valid TOML: ${(error as Error).message}`);
  }
}

function tableOf(pyproject: Table): Table {
  const tool = pyproject["tool"];
  const table = isTable(tool) ? tool["django-on-workers"] : undefined;
  if (table === undefined) return {};
  if (!isTable(table)) throw new UserError("DOW_CONFIG_INVALID", "[tool.django-on-workers] in pyproject.toml must be a table.");
  const known = ["database", "interface", "settings", "requirements", "exclude-dependencies"];
  for (const key of Object.keys(table)) {
    if (!known.includes(key)) {
      throw new UserError("DOW_CONFIG_INVALID", `[tool.django-on-workers] has no key ${key}; there are ${known.join(", ")}.`);
    }
  }
  return table;
}

function oneOf<Value extends string>(table: Table, key: string, values: readonly Value[]): Value | undefined {
  const value = table[key];
  if (value === undefined) return undefined;
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) {
    throw new UserError(
      "DOW_CONFIG_INVALID",
      `${key} in [tool.django-on-workers] is ${JSON.stringify(value)}; it must be ${values.join(" or ")}.`,
    );
  }
  return found;
}

function settingsOf(root: string, table: Table): string {
  const configured = table["settings"];
  if (typeof configured === "string") return configured;
  const manage = readFileSync(join(root, "manage.py"), "utf8");
  const named = /DJANGO_SETTINGS_MODULE["']\s*(?:,|\]\s*=)\s*["']([\w.]+)["']/.exec(manage)?.[1];
  if (named === undefined) {
    throw new UserError(
      "DOW_NO_SETTINGS",
      'manage.py names no DJANGO_SETTINGS_MODULE. Name the settings in pyproject.toml: [tool.django-on-workers] settings = "mysite.settings".',
    );
  }
  return named;
}

const WRANGLER_FILES = ["wrangler.jsonc", "wrangler.json", "wrangler.toml"];

function readWrangler(root: string): { file: string | undefined; contents: Record<string, unknown> } {
  const name = WRANGLER_FILES.find((candidate) => existsSync(join(root, candidate)));
  if (name === undefined) return { file: undefined, contents: {} };
  const text = readFileSync(join(root, name), "utf8");
  try {
    // Through JSON, because TOML has dates of its own.
    if (name.endsWith(".toml")) return { file: name, contents: JSON.parse(JSON.stringify(parseToml(text))) as Record<string, unknown> };
    const errors: ParseError[] = [];
    const contents: unknown = parseJsonc(text, errors, { allowTrailingComma: true });
    if (errors.length > 0 || !isTable(contents)) throw new Error("it does not parse");
    return { file: name, contents };
  } catch (error) {
    throw new UserError("DOW_CONFIG_INVALID", `${name} can't be read: ${(error as Error).message}.`);
  }
}

/**
 * WebAssembly that a Worker makes while it starts is allowed from this compatibility date on.
 * https://developers.cloudflare.com/workers/configuration/compatibility-flags/
 */
const OLDEST_DATE = "2025-06-01";
const NO_NODE = "no_nodejs_compat";

/** Refuses a platform on which the runtime can't start. */
function checkPlatform(file: string | undefined, { compatibility_date: date, compatibility_flags: flags }: Record<string, unknown>): void {
  if (typeof date === "string" && date < OLDEST_DATE) {
    throw new UserError("DOW_CONFIG_INVALID", `compatibility_date in ${file} is ${date}; Django needs ${OLDEST_DATE} or later. Set a later one there.`);
  }
  if (Array.isArray(flags) && flags.includes(NO_NODE)) {
    throw new UserError("DOW_CONFIG_INVALID", `compatibility_flags in ${file} has ${NO_NODE}; Django needs what it turns off. Take it out there.`);
  }
}

/** What the Worker is called. */
export const workerName = ({ wrangler, name }: Project): string => String(wrangler["name"] ?? name);

/** A Worker's name: lower-case letters, digits and dashes. */
function slug(text: string): string {
  return text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 54) || "django";
}
