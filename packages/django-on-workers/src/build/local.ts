/** A built project on this machine, beside `wrangler dev` and on the same data. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { UserError } from "../contract/errors.ts";
import { DURABLE_OBJECT_BINDING, DURABLE_OBJECT_CLASS, SITE_OBJECT, TEST_OBJECT } from "../contract/manifest.ts";
import type { Build } from "./index.ts";
import { runtimeModules } from "./modules.ts";

/** What `wrangler dev` names its folder of local data, below the project. */
const STATE = [".wrangler", "state", "v3"];

const ENTRIES = {
  d1: `import "./prepare.js";
import { createManager } from "./runtime/django/manage.js";
import { artefacts } from "./artefacts.js";

export default createManager(artefacts);
`,
  "durable-object": `import "./prepare.js";
import { ManagedObject } from "./runtime/django/manage.js";

export class ${DURABLE_OBJECT_CLASS} extends ManagedObject {
  async load() {
    return (await import("./artefacts.js")).artefacts;
  }
}

export default {
  fetch(request, env) {
    const namespace = env.${DURABLE_OBJECT_BINDING};
    return namespace.get(namespace.idFromName(new URL(request.url).pathname.slice(1))).fetch(request);
  },
};
`,
};

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
  modules.delete("index.js");
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
  const { unstable_getMiniflareWorkerOptions: optionsOf } = await import("wrangler");
  // Wrangler looks for .dev.vars beside the configuration that it is given; the project's lie in its root.
  const envFiles = [".env", ".env.local", ".dev.vars"].map((name) => join(build.project.root, name));
  const { WRANGLER_LOG } = process.env;
  // It tells which of them it found, on standard output, which belongs to management commands: `dumpdata > data.json`.
  process.env["WRANGLER_LOG"] ??= "warn";
  try {
    return optionsOf(build.config, undefined, { envFiles } as never).workerOptions as unknown as Record<string, unknown>;
  } finally {
    if (WRANGLER_LOG === undefined) delete process.env["WRANGLER_LOG"];
  }
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
      name: workerName(build),
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

function workerName(build: Build): string {
  return (JSON.parse(readFileSync(build.config, "utf8")) as { name: string }).name;
}

export interface ManageOptions {
  stdout(text: string): void;
  stderr(text: string): void;
  state?: string;
  /** Takes what the runtime writes to its console while the command runs; without it, it is thrown away. */
  log?(level: string, message: string): void;
  /** Ends workerd, and the command with it: the call then fails. */
  signal?: AbortSignal;
}

/** Variables that Django's commands read, `createsuperuser` a password; the rest of the environment is this machine's. */
function ofCommands(environment: Record<string, string | undefined>): Record<string, string> {
  const found = Object.entries(environment).filter(([name]) => name.startsWith("DJANGO_SUPERUSER_"));
  return Object.fromEntries(found) as Record<string, string>;
}

type Message = { stdout: string } | { stderr: string } | { file: string; base64: string } | { exit: number };

/**
 * Runs a management command inside the runtime, against the local database. Files that the command writes below the
 * project's folder are written there. Returns the command's exit code.
 */
export async function manage(build: Build, argv: readonly string[], options: ManageOptions): Promise<number> {
  const testing = argv[0] === "test";
  const configured = JSON.parse(readFileSync(build.config, "utf8")) as { d1_databases?: { binding: string }[] };
  const extraDatabases = testing ? (configured.d1_databases ?? []).map(({ binding }) => `test_${binding}`) : [];
  const worker = await startLocal(build, {
    entry: ENTRIES[build.project.database],
    extraDatabases,
    ...(options.state === undefined ? {} : { state: options.state }),
    ...(options.log && { log: options.log }),
  });
  let ended: Promise<void> | undefined;
  const end = (): Promise<void> => (ended ??= worker.dispose());
  const stop = (): void => void end().catch(() => undefined);
  options.signal?.addEventListener("abort", stop);
  try {
    const response = await worker.dispatchFetch(`http://local/${testing ? TEST_OBJECT : SITE_OBJECT}`, {
      method: "POST",
      body: JSON.stringify({ argv, environment: ofCommands(process.env) }),
    });
    if (!response.ok || !response.body) {
      const text = await response.text();
      throw RESET.test(text) ? resetError() : new Error(text);
    }
    let exit = 1;
    for await (const line of lines(untilReset(response.body as AsyncIterable<Uint8Array>, options.signal))) {
      const message = JSON.parse(line) as Message;
      if ("stdout" in message) options.stdout(message.stdout);
      else if ("stderr" in message) options.stderr(message.stderr);
      else if ("file" in message) save(build.project.root, message);
      else exit = message.exit;
    }
    return exit;
  } finally {
    options.signal?.removeEventListener("abort", stop);
    await end();
  }
}

/** What the platform says of an object that it has reset, and with it what ran there. */
const RESET = /blockConcurrencyWhile\(\) in a Durable Object waited for too long/;

const resetError = (): UserError =>
  new UserError(
    "DOW_COMMAND_ENDED",
    "The command was ended, and its open transaction rolled back: a Durable Object gives a transaction 30 seconds. " +
      "Use smaller blocks of atomic(), atomic = False in a migration, or a TransactionTestCase.",
  );

function save(root: string, { file, base64 }: { file: string; base64: string }): void {
  const target = join(root, file);
  if (relative(root, target).startsWith("..") || /(?:^|\/)__pycache__\//.test(file)) return;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, Buffer.from(base64, "base64"));
}

/** The chunks of a response. That they end too early, without a word, is how an object shows that has been reset meanwhile. */
async function* untilReset(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new UserError(
      "DOW_COMMAND_ENDED",
      "The runtime ended before the command did, and may have said why above; an open transaction is rolled back. In a Durable Object one is given 30 seconds.",
    );
  }
}

async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest) yield rest;
}
