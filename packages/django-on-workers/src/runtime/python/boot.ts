/** Starts a Python interpreter, from an image or from nothing. Needs neither I/O nor timers nor randomness. */
import { PACKAGES_ROOT } from "../../contract/manifest.ts";
import { placeCalls, registerCalls, type Calls, type Places } from "./calls.ts";
import { modulesAsked } from "./environment.ts";
import { mountArchive, type Archive } from "./filesystem.ts";
import { joinParts, type LaterParts } from "./wasm-parts.ts";
import { localTime } from "./local-time.ts";
import { LinearMemory } from "./memory.ts";
import { clearUnused } from "./heap.ts";
import { openImage, type Image } from "./image.ts";
import type { CreatePyodideModule, PyodideModule, PyodidePublic } from "./pyodide.ts";

/** The modules of an artefact that make an interpreter. */
export interface Parts {
  createModule: CreatePyodideModule;
  wasm: WebAssembly.Module;
  /** What a module that comes without it has in its memory from the start, as an image. */
  data?: ArrayBuffer;
  /** The other parts of a module that was split. Each is asked for when something of it is called for the first time. */
  later?: LaterParts;
  /** Pyodide's module for JavaScript errors, which its loader carries as bytes. */
  sentinel: WebAssembly.Module;
  pyodideBuildId: string;
}

export interface HostModules {
  /** Modules that Pyodide wraps, by name. An image refers to them by that name. */
  modules: Record<string, object>;
  /** Modules whose functions Python calls as if they were C's, by name. */
  calls: Record<string, Calls>;
}

export interface BootOptions {
  image?: Image;
  /** Archives to mount, in this order; one of them has Python's standard library. */
  archives: readonly Archive[];
  /** The current folder; a temporary one by default. */
  folder?: string;
  /** The interpreter's memory will be written to an image. */
  forImage?: boolean;
  /** Baked into an image: the seed of `hash()`, 0 to 4294967295. Only read without an image. */
  hashSeed?: number;
  /** Makes what Python can import of JavaScript. */
  host?: (memory: LinearMemory) => HostModules;
}

export interface Booted {
  module: PyodideModule;
  /** What the wasm module exports. */
  exports: WebAssembly.Exports;
  python: PyodidePublic;
  /** The JavaScript modules that Python can import, by name. */
  modules: Record<string, object>;
}

const PAGE = 65536;

// Pyodide's own detection would find Node's globals; see its src/js/environments.ts.
const RUNTIME_ENVIRONMENT = {
  IN_NODE: false,
  IN_NODE_COMMONJS: false,
  IN_NODE_ESM: false,
  IN_BUN: false,
  IN_DENO: false,
  IN_SAFARI: false,
  IN_SHELL: false,
  IN_WORKERD: true,
  IN_BROWSER: true,
  IN_BROWSER_MAIN_THREAD: false,
  IN_BROWSER_WEB_WORKER: false,
};

/**
 * An object that V8 keeps as a hash table, because it has no prototype. To an ordinary one it gives a new shape with each
 * property, and a boot enters hundreds.
 */
const dictionary = <T extends object>(properties: T): T => Object.assign(Object.create(null), properties) as T;

export async function boot(parts: Parts, options: BootOptions): Promise<Booted> {
  const { image, archives, folder = "/tmp", forImage = false } = options;
  // PYTHONINSPECT keeps a SystemError from ending the interpreter, as Pyodide's loader does. Time zones are found by the
  // package tzdata, whose list of names spares Python a look at every file.
  const env = { HOME: "/tmp", PYTHONHASHSEED: String(options.hashSeed ?? 0), PYTHONINSPECT: "1", PYTHONTZPATH: "" };
  const sentinel = new WebAssembly.Instance(parts.sentinel).exports;
  let exports: WebAssembly.Exports = {};
  const api = {
    config: {
      jsglobals: globalThis,
      BUILD_ID: parts.pyodideBuildId,
      env,
      args: [],
      packages: [],
      enableRunUntilComplete: true,
      checkAPIVersion: true,
      indexURL: "/",
      _makeSnapshot: forImage,
    },
    runtimeEnv: RUNTIME_ENVIRONMENT,
  };
  const linear = new LinearMemory(() => module.HEAPU8);
  const host: HostModules = options.host?.(linear) ?? { modules: {}, calls: {} };
  let places: [name: string, Places][] = [];
  const module: PyodideModule = await parts.createModule(dictionary({
    API: api,
    arguments: [],
    noInitialRun: image !== undefined,
    locateFile: (path: string) => path,
    print: (line: string) => console.log(line),
    printErr: (line: string) => console.error(line),
    preRun: [
      (module: PyodideModule) => {
        const version = module.HEAPU32[module._Py_Version >>> 2] ?? 0;
        const [major, minor, micro] = [(version >>> 24) & 255, (version >>> 16) & 255, (version >>> 8) & 255];
        const library = `/lib/python${major}.${minor}`;
        module.API.pyVersionTuple = [major, minor, micro];
        module.API.sitePackages = `${library}/site-packages`;
        // CPython looks for lib-dynload when it works out its prefix, and warns where there is none.
        for (const folder of [module.API.sitePackages, `${library}/lib-dynload`]) module.FS.mkdirTree(folder);
        for (const archive of archives) mountArchive(module.FS, archive);
        // Where Django looks for the names that TIME_ZONE may have.
        module.FS.mkdirTree("/usr/share");
        module.FS.symlink(`${PACKAGES_ROOT}/tzdata/zoneinfo`, "/usr/share/zoneinfo");
        module.FS.chdir(folder);
        Object.assign(module.ENV, env);
      },
    ],
    instantiateWasm(imports: { env: Record<string, unknown> }, done: (...args: unknown[]) => void) {
      imports.env["Jsv_GetError_import"] = sentinel["Jsv_GetError_import"];
      imports.env["JsvError_Check"] = sentinel["JsvError_Check"];
      Object.assign(imports.env, localTime(() => memory));
      const instance = new WebAssembly.Instance(parts.wasm, imports as unknown as WebAssembly.Imports);
      if (parts.later) joinParts(instance, imports as unknown as WebAssembly.Imports, parts.later);
      // Pyodide does not grow its 30 MiB for a larger image; an emitted module has that size from the start.
      const memory = instance.exports["memory"] as WebAssembly.Memory;
      const missing = (image?.memory ?? 0) - memory.buffer.byteLength;
      if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
      if (parts.data) openImage(parts.data).restore(new Uint8Array(memory.buffer));
      exports = instance.exports;
      const table = exports["__indirect_function_table"] as WebAssembly.Table;
      places = Object.entries(host.calls).map(([name, functions]) => [name, placeCalls(table, imports.env as never, functions, linear, () => module)]);
      // Emscripten looks at every function in the table, 10,000, for the few that the exports have a place in already.
      // An empty table gives those a second place, the same one whenever it boots.
      Object.defineProperty(table, "length", { value: 0, configurable: true });
      done(instance, parts.wasm);
      return {};
    },
  }));
  Reflect.deleteProperty(exports["__indirect_function_table"] as object, "length");
  if (image) {
    image.restore(module.HEAPU8);
    useEvaluated(module);
  }
  const python = module.API.finalizeBootstrap(image?.references, (entry) => fromReference(entry, host.modules));
  if (image === undefined) {
    for (const [name, contents] of Object.entries(host.modules)) python.registerJsModule(name, contents);
    for (const [name, found] of places) registerCalls(module, name, found);
  }
  return { module, exports, python, modules: host.modules };
}

/**
 * Sources that Pyodide's bootstrap evaluates, each time, as Python. Running the parser and the compiler for them costs
 * a start far more than the rest of the bootstrap, because V8 compiles their wasm then; so an image holds the results.
 */
const EVALUATED = ["{}", "import importlib; importlib", "import __main__; __main__.__dict__", "import builtins; builtins.__dict__"];
const RESULTS = "_django_on_workers_evaluated";

/** Evaluates them for an image that is about to be taken. */
export function evaluateForImage({ python }: Booted): void {
  python.runPython(`import _pyodide._base as base; base.${RESULTS} = {code: base.eval_code(code) for code in ${JSON.stringify(EVALUATED)}}`);
}

interface EvalCode {
  (code: string, globals?: unknown): unknown;
}
type PyodideInternals = { _base: { eval_code: EvalCode } & Record<typeof RESULTS, { get(code: string): unknown } | undefined> };

/** Answers the bootstrap from what the image holds, until it has run. Anything else is evaluated. */
function useEvaluated({ API }: PyodideModule): void {
  let internals: PyodideInternals | undefined;
  const { rawRun } = API;
  API.rawRun = (code) => (code === "import _pyodide_core" ? [0, ""] : rawRun(code));
  Object.defineProperty(API, "_pyodide", {
    configurable: true,
    enumerable: true,
    set(value: PyodideInternals) {
      internals = value;
    },
    get() {
      const real = internals as PyodideInternals;
      const results = real._base[RESULTS];
      if (!results) return real;
      const eval_code: EvalCode = (code, globals) => results.get(code) ?? real._base.eval_code(code, globals);
      return new Proxy(real, {
        get: (target, name) => (name === "_base" ? { eval_code } : Reflect.get(target, name)),
      });
    },
  });
}

/** What an image writes in place of a JavaScript object that Python holds. */
interface Reference {
  module?: string;
}

function fromReference(entry: unknown, modules: Record<string, object>): unknown {
  const { module } = (entry ?? {}) as Reference;
  if (module === undefined) return null;
  const found = modules[module];
  if (!found) throw new Error(`The image refers to the JavaScript module ${module}, which this runtime lacks.`);
  return found;
}

export interface Capture {
  memory: Uint8Array;
  references: unknown;
  /** Small wasm modules that a restore needs, in hexadecimal. */
  modules: string[];
}

/** What goes into an image. The interpreter must have been booted `forImage`, and no stack may be suspended. */
export function capture({ module, exports, modules }: Booted): Capture {
  const names = new Map(Object.entries(modules).map(([name, contents]) => [contents, name]));
  const references = module.API.serializeHiwireState((value) => {
    const name = names.get(value as object);
    // Other objects belong to the boot or to a request that is over: whoever still holds one gets nothing.
    return name === undefined ? {} : { module: name };
  });
  clearUnused(module.HEAPU8, exports);
  return { memory: module.HEAPU8, references, modules: modulesAsked() };
}
