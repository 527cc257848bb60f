/** A built project on this machine, beside `wrangler dev` and on the same data. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { MANAGEMENT_ENTRYPOINT } from "../contract/manifest.ts";
import { runCommand, type CommandOptions } from "./commands.ts";
import type { Build } from "./index.ts";
import { runtimeModules } from "./modules.ts";
import { workerName } from "./project.ts";
import { quietly } from "./wrangler.ts";

/** What `wrangler dev` names its folder of local data, below the project. */
const STATE = [".wrangler", "state", "v3"];

/** Sends what it gets to the entry for management commands. */
const COMMANDS = `import { ${MANAGEMENT_ENTRYPOINT} } from "./index.js";

export * from "./index.js";
export default { fetch: (request, env, ctx) => new ${MANAGEMENT_ENTRYPOINT}(ctx, env).fetch(request) };
`;

type ModuleType = "ESModule" | "CompiledWasm" | "Data";
interface Module {
  type: ModuleType;
  path: string;
  contents: string | Uint8Array;
}

function typeOf(path: string): ModuleType {
  if (path.endsWith(".wasm")) return "CompiledWasm";
  return path.endsWith(".bin") ? "Data" : "ESModule";
}

function modulesOf(folder: string, entry: string): Module[] {
  const modules = new Map<string, Module>();
  const add = (path: string, contents: string | Uint8Array): void => {
    const type = typeOf(path);
    modules.set(path, { type, path: `/${path}`, contents: type === "ESModule" ? contents.toString() : contents });
  };
  add("local.mjs", entry);
  for (const found of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!found.isFile()) continue;
    const absolute = join(found.parentPath, found.name);
    add(relative(folder, absolute).split(sep).join("/"), readFileSync(absolute));
  }
  for (const [path, contents] of runtimeModules()) if (!modules.has(path)) add(path, contents);
  return [...modules.values()];
}

export interface LocalOptions {
  /** The entry that takes the place of the Worker's own. */
  entry?: string;
  /** Takes what the Worker writes to its console; without it, it is thrown away. */
  log?(level: string, message: string): void;
  /** Names of D1 databases that exist only here. */
  extraDatabases?: readonly string[];
  /** Where data lies; the project's own by default. */
  state?: string;
}

/** The Worker's options as Wrangler makes them of its configuration. */
async function configuredOptions(build: Build): Promise<Record<string, unknown>> {
  // Wrangler looks for .dev.vars beside the configuration that it is given; the project's lie in its root.
  const envFiles = [".env", ".env.local", ".dev.vars"].map((name) => join(build.project.root, name));
  return quietly(({ unstable_getMiniflareWorkerOptions: optionsOf }) => optionsOf(build.config, undefined, { envFiles } as never).workerOptions as unknown as Record<string, unknown>);
}

/** Starts workerd with the emitted Worker and its bindings, as its Wrangler configuration has them. */
export async function startLocal(build: Build, options: LocalOptions = {}): Promise<Miniflare> {
  const { entry = readFileSync(join(build.folder, "index.js"), "utf8"), extraDatabases = [], log, state } = options;
  const workerOptions = await configuredOptions(build);
  const { assets: _assets, modulesRules: _rules, rootPath: _root, ...configured } = workerOptions;
  const databases = (configured["d1Databases"] ?? {}) as Record<string, unknown>;
  const worker = new Miniflare(
    convertV4MiniflareOptions({
      ...configured,
      name: workerName(build.project),
      modules: modulesOf(build.folder, entry),
      modulesRoot: "/",
      d1Databases: { ...databases, ...Object.fromEntries(extraDatabases.map((name) => [name, name])) },
      resourcePersistencePath: state ?? join(build.project.root, ...STATE),
      log: new Log(LogLevel.NONE),
      ...(log && { handleStructuredLogs: (entry: { level: string; message: string }) => log(entry.level, entry.message) }),
      host: "127.0.0.1",
    } as never),
  );
  try {
    await worker.ready;
  } catch (error) {
    // It would keep this process from ending.
    await worker.dispose().catch(() => undefined);
    throw error;
  }
  return worker;
}

export interface ManageOptions extends CommandOptions {
  state?: string;
  /** Takes what the runtime writes to its console while the command runs; without it, it is thrown away. */
  log?(level: string, message: string): void;
}

/**
 * Runs a management command inside the runtime, against the local database. Files that the command writes below the
 * project's folder are written there. Returns the command's exit code.
 */
export async function manage(build: Build, argv: readonly string[], options: ManageOptions): Promise<number> {
  const testing = argv[0] === "test";
  const configured = JSON.parse(readFileSync(build.config, "utf8")) as { d1_databases?: { binding: string }[] };
  const extraDatabases = testing ? (configured.d1_databases ?? []).map(({ binding }) => `test_${binding}`) : [];
  const worker = await startLocal(build, {
    entry: COMMANDS,
    extraDatabases,
    ...(options.state === undefined ? {} : { state: options.state }),
    ...(options.log && { log: options.log }),
  });
  return runCommand(worker, argv, { ...options, root: build.project.root });
}
