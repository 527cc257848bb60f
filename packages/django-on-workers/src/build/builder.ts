/** The build's own Worker on this machine: steps that need the target's Python run in it. */
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from "miniflare";
import { CAPTURE, readContainer, STEP, STEP_RESULT, writeContainer } from "../contract/bytes.ts";
import type { CaptureHeader, Conditions, StepHeader, StepResult } from "../contract/steps.ts";
import { runtimeModules, version } from "./modules.ts";
import { digest, type Cache } from "./cache.ts";
import { COMPATIBILITY_DATE } from "./emit.ts";
import type { Pyodide } from "./pyodide.ts";
import type { Files } from "./archive.ts";

const ENTRY = `
import { prepareModules } from "./runtime/python/environment.js";
import { likelySignatures } from "./runtime/python/signatures.js";
import { createBuilder } from "./runtime/django/builder.js";
import createModule from "./pyodide.asm.mjs";
import wasm from "./pyodide.asm.wasm";
import sentinel from "./sentinel.wasm";
import stdlib from "./stdlib.bin";
import given from "./given.mjs";
prepareModules([...given.fixedModules, ...likelySignatures()]);
export default createBuilder({ createModule, wasm, sentinel, pyodideBuildId: given.buildId }, stdlib);
`;

export interface Capture<Result> {
  result: Result;
  header: CaptureHeader;
  /** The runs that the header names. */
  memory: Uint8Array;
}

export interface Step {
  archives: readonly Uint8Array[];
  path: string[];
  module: string;
  function: string;
  config: object;
}

const asBuffer = (bytes: Uint8Array): ArrayBuffer =>
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;

/** Steps of a build; each runs in an interpreter of its own, which starts from the same captured memory. */
export class Builder {
  readonly #cache: Cache;
  readonly #worker: BuildWorker;
  /** The builder and its step that this one's steps start after, kept by the key; nothing where they start with Python's own start. */
  readonly #previous: { builder: Builder; step: Step; key: string } | undefined;
  /** The name by which the Worker knows the memory that steps start from. */
  #base: Promise<string> | undefined;

  constructor(cache: Cache, worker: BuildWorker, previous?: { builder: Builder; step: Step; key: string }) {
    this.#cache = cache;
    this.#worker = worker;
    this.#previous = previous;
  }

  /** A builder whose steps start where `step` ends. What that leaves is kept by `key`, and made when it is needed. */
  after(key: string, step: Step): Builder {
    return new Builder(this.#cache, this.#worker, { builder: this, step, key });
  }

  get pyodide(): Pyodide {
    return this.#worker.pyodide;
  }

  /** Runs a Python function; returns what it returned and the files that lie under `collect`. */
  async run<Result>(step: Step, collect: string[] = []): Promise<{ result: Result; files: Files }> {
    const answer = await this.#send(step, { capture: false, collect });
    const { header, body } = readContainer<StepResult>(STEP_RESULT, answer);
    const files: Files = new Map();
    let position = 0;
    for (const [path, length] of header.files) {
      files.set(path, body.subarray(position, position + length));
      position += length;
    }
    return { result: JSON.parse(header.result) as Result, files };
  }

  /** Runs a Python function and captures the interpreter's memory after it. Under the same conditions the same step leaves the same. */
  async capture<Result>(step: Step, conditions: Conditions): Promise<Capture<Result>> {
    const { header, body } = readContainer<CaptureHeader>(CAPTURE, await this.#capture(step, conditions));
    return { result: JSON.parse(header.result) as Result, header, memory: body };
  }

  #capture(step: Step, conditions?: Conditions): Promise<ArrayBuffer> {
    return this.#send(step, { capture: true, collect: [], ...(conditions && { conditions }) });
  }

  async #send(step: Step, options: Pick<StepHeader, "capture" | "collect" | "conditions">): Promise<ArrayBuffer> {
    const base = await (this.#base ??= this.#sendBase());
    const { archives, ...rest } = step;
    const header: StepHeader = { ...rest, ...options, archives: archives.map((archive) => archive.byteLength) };
    return this.#worker.send("POST", base, writeContainer(STEP, header, archives));
  }

  async #sendBase(): Promise<string> {
    const key = digest(version, this.pyodide.buildId, JSON.stringify([...runtimeModules()]), this.#worker.stdlib, this.#previous?.key ?? "");
    const memory = await this.#cache.bytes("base", key, async () => {
      if (this.#previous) return new Uint8Array(await this.#previous.builder.#capture(this.#previous.step));
      // The seed of hash() ends in the image: one of the build's own, so that nobody outside can tell it.
      const seed = Number.parseInt(digest(key, String(Math.random())).slice(0, 8), 16);
      return new Uint8Array(await this.#worker.send("POST", `?seed=${seed}`, new Uint8Array()));
    });
    await this.#worker.send("PUT", key, memory);
    return key;
  }
}

/** workerd with the build's own Worker (`runtime/django/builder.ts`), begun with the first thing that is sent to it. */
export class BuildWorker {
  readonly pyodide: Pyodide;
  /** The archive of Python's standard library. */
  readonly stdlib: Uint8Array;
  #miniflare: Miniflare | undefined;

  constructor(pyodide: Pyodide, stdlib: Uint8Array) {
    this.pyodide = pyodide;
    this.stdlib = stdlib;
  }

  async send(method: "PUT" | "POST", path: string, body: Uint8Array): Promise<ArrayBuffer> {
    const worker = (this.#miniflare ??= this.#start());
    const send = () => worker.dispatchFetch(`http://builder/${path}`, { method, body: asBuffer(body) });
    // Sent again once: a step depends on nothing but what it is sent.
    const response = await send().catch((error: unknown) => {
      if (isClosed(error)) return send();
      throw error;
    });
    if (!response.ok) throw new Error(`A step of the build failed.\n${await response.text()}`);
    return response.arrayBuffer();
  }

  async dispose(): Promise<void> {
    await this.#miniflare?.dispose();
    this.#miniflare = undefined;
  }

  #start(): Miniflare {
    const { glue, wasm, sentinel, fixedModules, buildId } = this.pyodide;
    const modules = [
      { type: "ESModule" as const, path: "/builder.mjs", contents: ENTRY },
      { type: "ESModule" as const, path: "/given.mjs", contents: `export default ${JSON.stringify({ fixedModules, buildId })};` },
      { type: "ESModule" as const, path: "/pyodide.asm.mjs", contents: glue },
      { type: "CompiledWasm" as const, path: "/pyodide.asm.wasm", contents: wasm },
      { type: "CompiledWasm" as const, path: "/sentinel.wasm", contents: sentinel },
      { type: "Data" as const, path: "/stdlib.bin", contents: this.stdlib },
      ...[...runtimeModules()].map(([path, contents]) => ({ type: "ESModule" as const, path: `/${path}`, contents })),
    ];
    return new Miniflare(
      convertV4MiniflareOptions({
        name: "django-on-workers-builder",
        modules,
        modulesRoot: "/",
        compatibilityDate: COMPATIBILITY_DATE,
        log: new Log(LogLevel.NONE),
        // What the project prints while it is imported: standard output is for what a management command writes.
        handleStructuredLogs: ({ message }: { message: string }) => void process.stderr.write(`${message}\n`),
        host: "127.0.0.1",
      }),
    );
  }
}

/** workerd closes a connection that nobody has used for a while, perhaps just when a request is being sent. */
const isClosed = (error: unknown): boolean => {
  const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
  return code === "EPIPE" || code === "ECONNRESET" || code === "UND_ERR_SOCKET";
};
