/** Writes the Worker, its modules, the assets and a Wrangler configuration. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { UserError } from "../contract/errors.ts";
import { LOADER } from "../contract/wasm-parts.ts";
import { D1_BINDING, DURABLE_OBJECT_BINDING, DURABLE_OBJECT_CLASS, MANAGEMENT_ENTRYPOINT, PACKAGES_ROOT, PROJECT_ROOT, type Interface, type Manifest } from "../contract/manifest.ts";
import { readArchive, treeAndContents, unpack, writeArchive, type Packed } from "./archive.ts";
import { digest } from "./cache.ts";
import { BUILD_ONLY, type Source } from "./compile.ts";
import type { ImageResult } from "./image.ts";
import { memoryOf } from "./memory.ts";
import { runtimeModules } from "./modules.ts";
import { workerName, type Project } from "./project.ts";
import type { Pyodide } from "./pyodide.ts";
import type { Facts, Inspection } from "./statics.ts";
import { withMemory } from "./wasm.ts";

/** workerd knows what this date names; a project's own configuration may name a later one. */
export const COMPATIBILITY_DATE = "2026-11-01";
interface Flag {
  name: string;
  /** The flag by which a project says no. */
  unless?: string;
  /** The compatibility date from which every Worker has it. */
  until?: string;
}
/** https://developers.cloudflare.com/workers/configuration/compatibility-flags/ */
const FLAGS: readonly Flag[] = [
  // Modules are compiled when they are imported, not when an isolate starts: a Worker in front of an object never compiles
  // Python.
  { name: "new_module_registry", unless: "legacy_module_registry" },
  // node:zlib, which unpacks the image.
  { name: "nodejs_compat", until: "2026-08-04" },
];
/** https://developers.cloudflare.com/workers/platform/limits/#worker-size */
export const SIZE_LIMIT = 64 * 1024 * 1024;

export interface Sizes {
  wasm: number;
  image: number;
  bytecode: number;
  javascript: number;
  assets: number;
  /** Script and modules, without the assets, which do not count towards the limit. */
  total: number;
}

export interface Output {
  /** The folder of the emitted Worker. */
  folder: string;
  /** The Wrangler configuration. */
  config: string;
  sizes: Sizes;
  manifest: Manifest;
}

/**
 * What few requests need is loaded when the first of them does. It is called in the middle of synchronous code, so
 * `import()` is of no use. https://developers.cloudflare.com/workers/runtime-apis/nodejs/module/
 */
const ARTEFACTS = `import createModule from "./pyodide.asm.mjs";
import wasm from "./pyodide.asm.wasm";
import sentinel from "./sentinel.wasm";
import data from "./data.bin";
import image from "./image.bin";
import tree from "./files.bin";
import { manifest } from "./manifest.js";

const later = (path) => () => process.getBuiltinModule("node:module").createRequire(import.meta.url ?? "file:///")(path);

export const artefacts = {
  parts: { createModule, wasm, data, later: { rare: later("./pyodide.rare.wasm"), cold: later("./pyodide.cold.wasm") }, sentinel, pyodideBuildId: manifest.pyodideBuildId },
  image,
  files: [{ tree, contents: later("./contents.bin") }],
  manifest,
};
`;

/** First of all, while wasm can be compiled from bytes. */
const PREPARE = `import { prepareModules } from "./runtime/python/environment.js";
import { modules } from "./modules.js";
prepareModules(modules);
`;

const ENTRIES = {
  d1: `import "./prepare.js";
import { createWorker } from "./runtime/django/worker.js";
import { artefacts } from "./artefacts.js";

export { ${MANAGEMENT_ENTRYPOINT} } from "./runtime/django/worker.js";
export default await createWorker(artefacts);
`,
  "durable-object": `import "./prepare.js";
import { DjangoObject, forwarder } from "./runtime/django/object.js";

export { ${MANAGEMENT_ENTRYPOINT} } from "./runtime/django/object.js";

export class ${DURABLE_OBJECT_CLASS} extends DjangoObject {
  async load() {
    return (await import("./artefacts.js")).artefacts;
  }
}

export default forwarder;
`,
};

/** Modules of the runtime that only a build uses. */
const LOCAL = /^runtime\/(?:django\/builder|python\/signatures)\.js$|^contract\/(?:errors|steps)\.js$/;

function runtimeFiles(archives: readonly Uint8Array[], source: Source, inspection: Inspection): Map<string, Packed> {
  const files = new Map<string, Packed>();
  for (const archive of archives) {
    for (const [path, packed] of readArchive(archive)) if (!BUILD_ONLY.test(path)) files.set(path, packed);
  }
  for (const [path, packed] of source.packed) if (!path.startsWith(`${inspection.facts.static_root}/`)) files.set(path, packed);
  const manifest = staticManifest(inspection);
  if (manifest) files.set(...manifest);
  return files;
}

/** Where the manifest storage reads which hashed name a static file has, if it can read it in a Worker. */
export function staticManifest({ facts, statics }: Inspection): [path: string, packed: Packed] | undefined {
  const manifest = statics.get("staticfiles.json");
  return manifest && facts.static_root.startsWith(`${PROJECT_ROOT}/`) ? [`${facts.static_root}/staticfiles.json`, manifest] : undefined;
}

/** The project's WSGI or ASGI application, `package.module:attribute`. Django has a setting for the first only. */
export function applicationOf(project: Project, facts: Facts, kind: Interface): string {
  const wsgi = facts.wsgi ?? `${project.settingsModule.split(".")[0]}.wsgi.application`;
  const dot = wsgi.lastIndexOf(".");
  const [module, attribute] = [wsgi.slice(0, dot), wsgi.slice(dot + 1)];
  return kind === "wsgi" ? `${module}:${attribute}` : `${module.replace(/\bwsgi$/, "asgi")}:application`;
}

/** Writes the Worker. `archives` are the files that are not the project's, a later one over those before. */
export function emit(
  project: Project,
  folder: string,
  pyodide: Pyodide,
  archives: readonly Uint8Array[],
  source: Source,
  inspection: Inspection,
  { image, modules }: ImageResult,
): Output {
  const { facts, statics } = inspection;
  const manifest: Manifest = {
    buildId: digest(...archives, source.key, image, project.interface, ...runtimeModules().values()),
    pyodide: pyodide.version,
    pyodideBuildId: pyodide.buildId,
    django: {
      settingsModule: project.settingsModule,
      interface: project.interface,
      application: applicationOf(project, facts, project.interface),
      database: project.database,
    },
  };
  const worker = join(folder, "worker");
  const { tree, contents } = treeAndContents(writeArchive([pyodide.stdlibRoot, PACKAGES_ROOT, PROJECT_ROOT], runtimeFiles(archives, source, inspection), source.folders));
  const javascript = new Map<string, string>([
    ...runtimeModules((path) => !LOCAL.test(path)),
    ["index.js", ENTRIES[project.database]],
    ["prepare.js", PREPARE],
    ["artefacts.js", ARTEFACTS],
    ["manifest.js", `export const manifest = ${JSON.stringify(manifest, null, 2)};\n`],
    ["modules.js", `export const modules = ${JSON.stringify([...modules, LOADER])};\n`],
    ["pyodide.asm.mjs", pyodide.glue],
  ]);
  const binary = new Map<string, Uint8Array>([
    ["pyodide.asm.wasm", withMemory(pyodide.hot, memoryOf(image))],
    ["pyodide.rare.wasm", pyodide.rare],
    ["pyodide.cold.wasm", pyodide.cold],
    ["data.bin", pyodide.data],
    ["sentinel.wasm", pyodide.sentinel],
    ["image.bin", image],
    ["files.bin", tree],
    ["contents.bin", contents],
  ]);
  const size = (name: string): number => binary.get(name)?.byteLength ?? 0;
  const script = [...javascript.values()].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const sizes: Sizes = {
    wasm: size("pyodide.asm.wasm") + size("pyodide.rare.wasm") + size("pyodide.cold.wasm") + size("data.bin") + size("sentinel.wasm"),
    image: size("image.bin"),
    bytecode: size("files.bin") + size("contents.bin"),
    javascript: script,
    assets: [...statics.values()].reduce((sum, { length }) => sum + length, 0),
    total: script + [...binary.values()].reduce((sum, bytes) => sum + bytes.byteLength, 0),
  };
  if (sizes.total > SIZE_LIMIT) {
    throw new UserError("DOW_TOO_LARGE", `The Worker has ${(sizes.total / 2 ** 20).toFixed(1)} MiB; Cloudflare takes 64 MiB. Remove requirements that are not needed at run time.`);
  }
  writeTree(worker, new Map<string, string | Uint8Array>([...javascript, ...binary]));
  const prefix = assetPrefix(facts.static_url);
  const assets = new Map<string, Uint8Array>();
  if (prefix !== undefined) {
    for (const [path, packed] of statics) if (path !== "staticfiles.json") assets.set(posix.join(prefix, path), unpack(packed));
  }
  writeTree(join(folder, "assets"), assets);
  const config = join(folder, "wrangler.json");
  writeFileSync(config, `${JSON.stringify(wranglerConfig(project, folder), null, 2)}\n`);
  writeRedirect(project, config);
  return { folder: worker, config, sizes, manifest };
}

/** Where assets lie for a STATIC_URL on this host; nothing for one on another. */
function assetPrefix(staticUrl: string): string | undefined {
  if (/^(?:https?:)?\/\//.test(staticUrl)) return undefined;
  return staticUrl.replace(/^\/+/, "");
}

/** Replaces a folder's contents, leaving alone what is the same: Wrangler reloads what it sees change. */
function writeTree(folder: string, files: Map<string, string | Uint8Array>): void {
  const listing = join(dirname(folder), `.${posix.basename(folder)}.json`);
  const before = existsSync(listing) ? (JSON.parse(readFileSync(listing, "utf8")) as Record<string, string>) : {};
  const after: Record<string, string> = {};
  for (const [path, contents] of files) {
    const hash = digest(contents);
    after[path] = hash;
    const target = join(folder, path);
    if (before[path] === hash && existsSync(target)) continue;
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, contents);
  }
  for (const path of Object.keys(before)) if (!(path in after)) rmSync(join(folder, path), { force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(listing, JSON.stringify(after));
}

type Config = Record<string, unknown>;
const listOf = (value: unknown): Config[] => (Array.isArray(value) ? (value as Config[]) : []);

/** A project's own flags, and those that the runtime wants on that date. */
function withFlags(own: unknown, date: string): string[] {
  const flags = Array.isArray(own) ? (own as string[]) : [];
  const wanted = FLAGS.filter(({ name, unless, until }) => !flags.includes(name) && !(unless && flags.includes(unless)) && !(until && date >= until));
  return [...flags, ...wanted.map(({ name }) => name)];
}

/** The project's own configuration, with what the build decides put over it. */
export function wranglerConfig(project: Project, folder: string): Config {
  const own = project.wrangler;
  const relativeToOutput = (path: string): string => posix.relative(folder.replaceAll("\\", "/"), posix.join(project.root.replaceAll("\\", "/"), path));
  const date = own["compatibility_date"] ?? COMPATIBILITY_DATE;
  const config: Config = {
    observability: { enabled: true },
    ...own,
    compatibility_date: date,
    compatibility_flags: withFlags(own["compatibility_flags"], String(date)),
    name: workerName(project),
    main: "worker/index.js",
    no_bundle: true,
    find_additional_modules: true,
    base_dir: "worker",
    // Wrangler's own rules take .wasm and .bin for what they are, but .js for CommonJS.
    rules: [{ type: "ESModule", globs: ["**/*.js", "**/*.mjs"], fallthrough: false }],
    assets: { html_handling: "none", ...(own["assets"] as Config | undefined), directory: "assets" },
  };
  delete config["$schema"];
  if (project.database === "d1") {
    const databases = listOf(own["d1_databases"]).map((database) =>
      typeof database["migrations_dir"] === "string" ? { ...database, migrations_dir: relativeToOutput(database["migrations_dir"]) } : database,
    );
    const bound = databases.some((database) => database["binding"] === D1_BINDING);
    // Without an id `wrangler deploy` makes the database and keeps it for the name.
    config["d1_databases"] = bound ? databases : [...databases, { binding: D1_BINDING, database_name: String(config["name"]) }];
  } else {
    const objects = own["durable_objects"] as { bindings?: unknown } | undefined;
    config["durable_objects"] = {
      bindings: [...listOf(objects?.bindings), { name: DURABLE_OBJECT_BINDING, class_name: DURABLE_OBJECT_CLASS }],
    };
    config["migrations"] = [...listOf(own["migrations"]), { tag: "django-on-workers-1", new_sqlite_classes: [DURABLE_OBJECT_CLASS] }];
  }
  return config;
}

/** Makes plain `npx wrangler` in the project's folder use the emitted configuration. */
function writeRedirect(project: Project, config: string): void {
  const folder = join(project.root, ".wrangler", "deploy");
  mkdirSync(folder, { recursive: true });
  const configPath = posix.relative(folder.replaceAll("\\", "/"), config.replaceAll("\\", "/"));
  writeFileSync(join(folder, "config.json"), `${JSON.stringify({ configPath })}\n`);
}
