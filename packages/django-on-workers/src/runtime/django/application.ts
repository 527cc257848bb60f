/** The Django project in an interpreter: restored when first needed, replaced when it dies. */
import { PROJECT_ROOT, type Manifest } from "../../contract/manifest.ts";
import { createHost } from "../bindings/host.ts";
import { boot, type HostModules, type Parts } from "../python/boot.ts";
import type { Archive } from "../python/filesystem.ts";
import { openImage } from "../python/image.ts";
import { Interpreter, InterpreterDied } from "../python/interpreter.ts";
import type { LinearMemory } from "../python/memory.ts";
import type { PyProxy } from "../python/pyodide.ts";

/** Everything that a build emits for the runtime. */
export interface Artefacts {
  parts: Parts;
  image: ArrayBuffer;
  files: readonly Archive[];
  manifest: Manifest;
}

/** What Python imports of JavaScript. */
export function hostModules(memory: LinearMemory): HostModules {
  const { host, calls } = createHost(memory);
  return { modules: { _django_on_workers: host }, calls: { _django_on_workers_calls: calls } };
}

interface Running {
  interpreter: Interpreter;
  server: PyProxy & Record<string, PyProxy>;
  serve: PyProxy;
  started: boolean;
}

/** Strings among the bindings are variables and secrets; others are objects, which Python reaches as bindings. */
export function environmentOf(env: object): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (typeof value === "string") environment[name] = value;
    // A JSON variable: as text, which is what an environment can hold.
    else if (isPlain(value)) environment[name] = JSON.stringify(value);
  }
  return environment;
}

const isPlain = (value: unknown): boolean =>
  typeof value === "number" ||
  typeof value === "boolean" ||
  Array.isArray(value) ||
  (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype);

export class Application {
  readonly #artefacts: Artefacts;
  readonly #environment: Record<string, string>;
  #running: Running | undefined;
  #booting: Promise<Running> | undefined;

  constructor(artefacts: Artefacts, environment: Record<string, string>) {
    this.#artefacts = artefacts;
    this.#environment = environment;
  }

  get manifest(): Manifest {
    return this.#artefacts.manifest;
  }

  get environment(): Record<string, string> {
    return this.#environment;
  }

  get #ready(): Running | undefined {
    const running = this.#running;
    return running?.interpreter.alive && !running.interpreter.worn ? running : undefined;
  }

  /** Restores the interpreter. Takes microtasks only, so that several requests may wait for it. */
  async running(): Promise<Running> {
    const ready = this.#ready;
    if (ready) return ready;
    this.#booting ??= this.#boot().finally(() => {
      this.#booting = undefined;
    });
    return this.#booting;
  }

  async #boot(): Promise<Running> {
    const { parts, image, files } = this.#artefacts;
    const booted = await boot(parts, { image: openImage(image), archives: files, folder: PROJECT_ROOT, host: hostModules });
    const server = booted.python.pyimport("django_on_workers.runtime.server") as Running["server"];
    const interpreter = new Interpreter(booted);
    interpreter.collectWith(server["collect"] as PyProxy);
    this.#running = { interpreter, server, serve: server["serve"] as PyProxy, started: false };
    return this.#running;
  }

  /** Serves one request that {@link begin} has registered. */
  async serve(id: number, head: string): Promise<void> {
    const running = this.#ready ?? (await this.running());
    if (!running.started) {
      // Nothing is awaited between the two lines: the first request starts the project, the others find it started.
      running.started = true;
      const config = { environment: this.#environment, django: this.manifest.django };
      const start = running.server["start"] as PyProxy;
      start(JSON.stringify(config));
    }
    try {
      await running.interpreter.enter(running.serve, id, head);
    } catch (error) {
      if (error instanceof InterpreterDied) this.#discard(running);
      throw error;
    }
  }

  #discard(running: Running): void {
    if (this.#running === running) this.#running = undefined;
  }
}
