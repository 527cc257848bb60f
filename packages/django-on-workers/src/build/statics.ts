/** What a project is with its real environment, and its static files. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../contract/errors.ts";
import { PACKAGES_ROOT, PROJECT_ROOT } from "../contract/manifest.ts";
import { packFiles, readArchive, writeArchive, type Files, type Packed } from "./archive.ts";
import type { Builder } from "./builder.ts";
import { digest, type Cache } from "./cache.ts";
import type { Packages, Source } from "./compile.ts";
import type { Progress } from "./progress.ts";
import type { Project } from "./project.ts";
import { oppositeOf, shapeOf } from "./shapes.ts";

export interface Facts {
  django: string;
  static_url: string;
  static_root: string;
  collected: boolean;
  environment: string[];
  languages: string[];
  wsgi: string | null;
  /** Files of the project that were imported on the way. */
  modules: string[];
  /** Modules of others that the settings have imported, in that order. */
  imported: string[];
  /** Variables whose value is in the code of the settings, and so no secret. */
  known: string[];
  /** What happens when the settings run a second time, if they can't. */
  failure: string | null;
  /** Variables, what they say where an image may hold that, and settings that are others where the variable is; see `build/inspect.py`. */
  alternatives: [variable: string, value: string | boolean | null, settings: string[]][];
  /** Settings that follow from a value that is to be hidden without showing it: what they say if it is yes or no, else nothing. */
  decided: Record<string, boolean | null>;
}

export interface Inspection {
  facts: Facts;
  /** Static files by their path below the static root. */
  statics: Map<string, Packed>;
}

/** The value of a secret that the Worker is said to have and that this machine lacks. */
const REQUIRED = "django-on-workers-secret";

/**
 * Variables for the build, those that the Worker will have first: `wrangler dev` takes them from `.dev.vars` before it takes
 * them from its configuration, and a Worker that is deployed has those of the configuration. Never written anywhere.
 */
export function environmentOf(project: Project, process: Record<string, string | undefined>, deployed = false): Record<string, string> {
  const configured = Object.entries((project.wrangler["vars"] ?? {}) as object).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  const secrets = [".dev.vars", ".env"].map((name) => join(project.root, name)).find((path) => existsSync(path));
  const layers = [Object.fromEntries(configured), secrets ? parseVariables(readFileSync(secrets, "utf8")) : {}];
  if (deployed) layers.reverse();
  const variables: Record<string, string> = {};
  const ours = Object.fromEntries(Object.entries(process).filter(([name]) => !MACHINES.has(name)));
  for (const [name, value] of Object.entries(Object.assign(ours, ...layers))) if (value !== undefined) variables[name] = String(value);
  const { required } = (project.wrangler["secrets"] ?? {}) as { required?: unknown };
  if (Array.isArray(required)) for (const name of required) variables[String(name)] ??= REQUIRED;
  return variables;
}

/** NAME=value lines, quotes and comments as in a shell. */
function parseVariables(text: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of text.split(/\r?\n/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^#]*?))\s*(?:#.*)?$/.exec(line);
    if (!match) continue;
    const [, name, double, single, bare] = match;
    variables[name as string] = double?.replace(/\\n/g, "\n").replace(/\\(.)/g, "$1") ?? single ?? bare ?? "";
  }
  return variables;
}

/** Variables that say something about this machine, and would about another there. */
const MACHINES = new Set(["PATH", "HOME", "PWD", "OLDPWD", "SHLVL", "_", "HOSTNAME", "TERM", "PYTHONHASHSEED"]);

const over = <Result>(variables: Record<string, string>, change: (value: string) => Result): Record<string, Result> =>
  Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, change(value)]));

interface Kept {
  facts: Facts;
  environment: string;
  sources: string;
}

/**
 * Runs collectstatic. The result holds while nothing changed that went into it: the packages, the values of the
 * variables that the project read, the modules that it imported, and every file that is not Python.
 */
export async function inspect(
  project: Project,
  source: Source,
  packages: Packages,
  environment: Record<string, string>,
  builder: Builder,
  cache: Cache,
  progress: Progress,
): Promise<Inspection> {
  const fixed = digest(packages.key, project.settingsModule, project.database);
  const environmentKey = (names: string[]): string => digest(...names.map((name) => `${name}=${environment[name] ?? ""}`));
  const sourcesKey = (modules: string[]): string => {
    const imported = new Set(modules);
    return digest(...[...source.digests].filter(([path]) => !path.endsWith(".py") || imported.has(path)).map(([, hash]) => hash));
  };
  const kept = cache.read("facts", fixed);
  if (kept) {
    const { facts, environment: before, sources } = JSON.parse(kept.toString("utf8")) as Kept;
    const archive = cache.read("statics", digest(fixed, before, sources));
    if (archive && before === environmentKey(facts.environment) && sources === sourcesKey(facts.modules)) return inspected(facts, archive, progress);
  }
  progress.step("Collecting static files");
  const step = {
    archives: [packages.archive, source.archive],
    path: [PACKAGES_ROOT],
    module: "django_on_workers.build.inspect",
    function: "inspect_project",
    config: {
      settings_module: project.settingsModule,
      database: project.database,
      environment,
      shapes: over(environment, shapeOf),
      opposites: over(environment, oppositeOf),
      project_root: PROJECT_ROOT,
    },
  };
  const { result, files } = await builder.run<Facts | { error: { stage: string; traceback: string } }>(step, [PROJECT_ROOT]);
  if ("error" in result) throw explain(result.error, project, Object.keys(environment).filter((name) => environment[name] === REQUIRED));
  const facts = result;
  // A static root outside the project is not looked at.
  const collected: Files = new Map([...files].filter(([path]) => path.startsWith(`${facts.static_root}/`)));
  const archive = writeArchive([facts.static_root], packFiles(facts.collected ? collected : new Map(), 9));
  const keys = { environment: environmentKey(facts.environment), sources: sourcesKey(facts.modules) };
  cache.write("statics", digest(fixed, keys.environment, keys.sources), archive);
  cache.write("facts", fixed, Buffer.from(JSON.stringify({ facts, ...keys } satisfies Kept)));
  return inspected(facts, archive, progress);
}

function inspected(facts: Facts, archive: Uint8Array, progress: Progress): Inspection {
  const root = facts.static_root;
  const statics = new Map([...readArchive(archive)].map(([path, packed]) => [path.slice(root.length + 1), packed]));
  if (facts.collected && !root.startsWith(`${PROJECT_ROOT}/`)) {
    progress.warn(`STATIC_ROOT is ${root}, outside the project's folder: its files do not become assets.`);
  }
  return { facts, statics };
}

function explain({ stage, traceback }: { stage: string; traceback: string }, project: Project, required: readonly string[]): UserError {
  const detail = traceback.trim();
  if (stage === "settings") {
    const lacking = required.length > 0 ? `. This machine has no value for ${required.join(", ")}, which secrets.required names, and a text stood for it: where they take a number or a URL, put one in .dev.vars` : "";
    return new UserError("DOW_SETTINGS_FAILED", `The settings ${project.settingsModule} can't be imported${lacking}:`, detail);
  }
  if (stage === "collectstatic") return new UserError("DOW_COLLECTSTATIC_FAILED", "collectstatic failed:", detail);
  return new UserError("DOW_PROJECT_FAILED", "The project can't be imported:", detail);
}
