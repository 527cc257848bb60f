/** The Django project in an interpreter: restored when first needed, replaced when it dies. */
import { PROJECT_ROOT, type Manifest } from "../../contract/manifest.ts";
import { createHost } from "../bindings/host.ts";
import { find } from "../bindings/requests.ts";
import { boot, type HostModules, type Parts } from "../python/boot.ts";
import type { Archive } from "../python/filesystem.ts";
import { openImage } from "../python/image.ts";
import { Interpreter } from "../python/interpreter.ts";
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

/** A Python module, by its names. */
export type PyModule = PyProxy & Record<string, PyProxy>;

export interface Running {
  interpreter: Interpreter;
  server: PyModule;
  serve: PyProxy;
  state: "booted" | "starting" | "started";
}

/** Who waits for a start that another request makes asks so often, in milliseconds, and gives up after so many times. */
const ASK_EVERY = 5;
const ASK_TIMES = 6000;

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
    const server = booted.python.pyimport("django_on_workers.runtime.server") as PyModule;
    const interpreter = new Interpreter(booted);
    interpreter.collectWith(server["collect"] as PyProxy);
    this.#running = { interpreter, server, serve: server["serve"] as PyProxy, state: "booted" };
    return this.#running;
  }

  /** Serves one request that {@link begin} has registered. */
  async serve(id: number, head: string): Promise<void> {
    const ready = this.#ready;
    const running = ready?.state === "started" ? ready : await this.started(id);
    try {
      // Here, because another asynchronous function between the two takes a twentieth of a request.
      await running.interpreter.enter(running.serve, id, head);
    } finally {
      this.left(running, id);
    }
  }

  /** To be called when a request has left Python: the interpreter may have ended by it, or may be to serve no more. */
  left(running: Running, id: number): void {
    if (!running.interpreter.alive || find(id).worn) this.discard(running);
  }

  /** What a start and a management command are told. */
  configuration(more: object = {}): string {
    return JSON.stringify({ environment: this.#environment, django: this.#artefacts.manifest.django, ...more });
  }

  /**
   * The interpreter in which the project is started, by this request if nobody has: with `start` of a Python module, the
   * server's or that of commands. What it imports may wait for a database, and whoever comes meanwhile waits for it.
   */
  async started(id: number, program: (running: Running) => PyModule = ({ server }) => server, config = this.configuration()): Promise<Running> {
    for (;;) {
      const running = this.#ready ?? (await this.running());
      if (running.state === "booted") {
        running.state = "starting";
        try {
          await running.interpreter.enter(program(running)["start"] as PyProxy, id, config);
          running.state = "started";
        } catch (error) {
          this.discard(running);
          throw error;
        }
      }
      if (running.state === "started") return running;
      for (let asked = 0; running.state === "starting" && running.interpreter.alive && asked < ASK_TIMES; asked++) {
        // By a timer of one's own: the request that makes the start may be cancelled without a word.
        await new Promise((done) => setTimeout(done, ASK_EVERY));
      }
      if (running.state === "starting") this.discard(running);
    }
  }

  /** Has the next request begin with a new interpreter. */
  discard(running: Running): void {
    if (this.#running === running) this.#running = undefined;
  }
}
