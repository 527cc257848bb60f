/** The example under workerd: as a process of its own for cold starts, and in a loop for hot requests. */
import { execFileSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import type { Build } from "../packages/django-on-workers/dist/build/index.js";
import { startLocal } from "../packages/django-on-workers/dist/build/local.js";
import type { Loop } from "./native.ts";
import { startServer, type Server } from "./server.ts";

const require = createRequire(new URL("../packages/django-on-workers/package.json", import.meta.url));
/** workerd's own program, without the script of the package in front of it. */
const workerd = (require("workerd") as { default: string }).default;
export const workerdVersion = (require("workerd/package.json") as { version: string }).version;

const KINDS: Record<string, string> = { js: "esModule", mjs: "esModule", wasm: "wasm", bin: "data" };

/** Cap'n Proto configuration of a Worker whose modules lie in `folder`; `main` comes first. */
function configuration(file: string, folder: string, main: string, more: string, services: string): string {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .filter((path) => path !== main && (path.split(".").pop() as string) in KINDS);
  // Cap'n Proto takes a path that begins with a slash for one of its own library.
  const embedded = (path: string): string => relative(dirname(file), join(folder, path)).split(sep).join("/");
  const modules = [main, ...paths].map((path) => `(name = "${path}", ${KINDS[path.split(".").pop() as string]} = embed "${embedded(path)}")`);

  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main), ${services}],
  sockets = [(name = "http", http = (), service = "main")],
);
const main :Workerd.Worker = (modules = [${modules.join(", ")}], ${more});
`;
}

export interface ColdWorker {
  file: string;
}

/** The configuration as a binary message, which workerd then reads from its standard input: that is how Wrangler passes it. */
function compiled(source: string): ColdWorker {
  const file = source.replace(/capnp$/, "bin");
  writeFileSync(file, execFileSync(workerd, ["compile", "--config-only", source], { maxBuffer: 2 ** 28 }));
  return { file };
}

/** The emitted Worker over the Durable Object's local data, which `manage` filled. */
export function coldExample(build: Build, scratch: string): ColdWorker {
  const { name, compatibility_date: date, compatibility_flags: flags } = JSON.parse(readFileSync(build.config, "utf8")) as {
    name: string;
    compatibility_date: string;
    compatibility_flags: string[];
  };
  const file = join(scratch, "example.capnp");
  const storage = join(build.project.root, ".wrangler", "state", "v3", "do");
  const more = `compatibilityDate = "${date}", compatibilityFlags = ${JSON.stringify(flags)},
  durableObjectNamespaces = [(className = "Django", uniqueKey = "${name}-Django", enableSql = true)],
  durableObjectStorage = (localDisk = "storage"), bindings = [(name = "DJANGO", durableObjectNamespace = "Django")]`;
  writeFileSync(file, configuration(file, build.folder, "index.js", more, `(name = "storage", disk = (path = "${storage}", writable = true))`));
  return compiled(file);
}

/** A Worker that does nothing: what starting the process itself costs. */
export function coldTrivial(scratch: string): ColdWorker {
  const file = join(scratch, "trivial.capnp");
  const script = 'export default { fetch: () => new Response("ok") };';
  writeFileSync(
    file,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = .main)], sockets = [(name = "http", http = (), service = "main")]);
const main :Workerd.Worker = (modules = [(name = "main.js", esModule = ${JSON.stringify(script)})], compatibilityDate = "2026-11-01");
`,
  );
  return compiled(file);
}

/** Starts the process. Resolves when it answers `path` with 200. */
export const startWorkerd = ({ file }: ColdWorker, path: string): Promise<Server> =>
  startServer({ program: workerd, args: (port) => ["serve", "--binary", "-", "--socket-addr", `http=127.0.0.1:${port}`], stdin: file }, path);

const PARTS = `import "./prepare.js";
import { DjangoObject } from "./runtime/django/object.js";
import { hostModules } from "./runtime/django/application.js";
import { boot } from "./runtime/python/boot.js";
import { openImage } from "./runtime/python/image.js";

export class Django extends DjangoObject {
  async fetch() {
    const times = { handler: Date.now() };
    const { artefacts } = await import("./artefacts.js");
    const image = openImage(artefacts.image);
    const restore = (memory) => {
      times.module = Date.now();
      image.restore(memory);
      times.image = Date.now();
    };
    await boot(artefacts.parts, { image: { ...image, restore }, archives: artefacts.files, host: hostModules });
    times.bootstrap = Date.now();
    return Response.json(times);
  }
}

export default {
  fetch: (request, env) => env.DJANGO.get(env.DJANGO.idFromName("site")).fetch(request),
};
`;

export interface ColdParts {
  /** Seconds until the object's code runs: the process, its configuration, the modules, wasm compiled. */
  process_and_modules: number;
  /** Seconds for the wasm module's instance and its JavaScript. */
  module: number;
  /** Seconds for unpacking the image. */
  image: number;
  /** Seconds for what Pyodide does after that. */
  bootstrap: number;
}

/** Where a cold start's time goes, up to the first request, as the Worker's own clock tells. */
export async function coldParts(build: Build, scratch: string): Promise<ColdParts> {
  const folder = join(scratch, "parts");
  cpSync(build.folder, folder, { recursive: true });
  writeFileSync(join(folder, "index.js"), PARTS);
  const worker = coldExample({ ...build, folder }, scratch);
  const spawned = Date.now();
  const { text, stop } = await startWorkerd(worker, "/");
  await stop();
  const { handler, module, image, bootstrap } = JSON.parse(text) as Record<"handler" | "module" | "image" | "bootstrap", number>;
  const seconds = (from: number, to: number): number => (to - from) / 1000;
  return {
    process_and_modules: seconds(spawned, handler),
    module: seconds(handler, module),
    image: seconds(module, image),
    bootstrap: seconds(image, bootstrap),
  };
}

const LOOP = `import "./prepare.js";
import { DjangoObject } from "./runtime/django/object.js";
import { serve } from "./runtime/django/bridge.js";

export class Django extends DjangoObject {
  async load() {
    return (await import("./artefacts.js")).artefacts;
  }

  async fetch(incoming) {
    const { path, count } = await incoming.json();
    const application = await this.application();
    const headers = { accept: "text/html", "user-agent": "bench" };
    for (let i = 0; i < count; i++) {
      const response = await serve(application, new Request("http://localhost:8787" + path, { headers }), this.scope);
      // The platform takes the body from here: it is whole, and nobody in the Worker reads it.
      if (response.status !== 200 || !response.body) return new Response(path + " answered " + response.status, { status: 500 });
    }
    return Response.json({ memory: (await application.running()).interpreter.memory });
  }
}

export default {
  fetch: (request, env) => env.DJANGO.get(env.DJANGO.idFromName("site")).fetch(request),
};
`;

/** Hot requests through the HTTP bridge, in process: a Request in, a Response with its whole body out. */
export async function loopHere(build: Build): Promise<Loop & { memory(path: string, count: number): Promise<number> }> {
  const worker = await startLocal(build, { entry: LOOP });
  const ask = async (path: string, count: number): Promise<{ memory: number }> => {
    const response = await worker.dispatchFetch("http://bench/", { method: "POST", body: JSON.stringify({ path, count }) });
    if (!response.ok) throw new Error(await response.text());
    return (await response.json()) as { memory: number };
  };
  return {
    async measure(path, count) {
      const started = performance.now();
      await ask(path, count);
      return (performance.now() - started) / 1000;
    },
    memory: async (path, count) => (await ask(path, count)).memory,
    stop: () => worker.dispose(),
  };
}
