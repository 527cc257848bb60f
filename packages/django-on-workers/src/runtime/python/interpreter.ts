/**
 * An interpreter that many calls enter at once, and that is replaced when it dies.
 *
 * Every call has a stack of its own, which JSPI suspends while it waits. Garbage is collected only when no stack is
 * suspended: CPython's collector corrupts memory otherwise.
 */
import type { Booted } from "./boot.ts";
import type { PyProxy } from "./pyodide.ts";

/** The wasm instance trapped or Python ended itself: nothing can run in it any more. */
export class InterpreterDied extends Error {
  constructor(cause: unknown) {
    super("The Python interpreter died; a new one takes its place.", { cause });
    this.name = "InterpreterDied";
  }
}

/** Asking whether a collection is due costs a call; this many calls are made between two questions. */
const CALLS_BETWEEN = 8;

/** Calls that may begin one upon another before new ones wait for the others to end, twice as many after each wait in vain. */
const CALLS_WITHOUT_IDLE = 64;
const IDLE_TRIES = 1000;

/** After so many calls, and so many milliseconds in one of them, an interpreter is {@link Interpreter.worn}. */
const WORN_CALLS = 1000;
const WORN_AGE = 60_000;

interface Call {
  readonly since: number;
  end(error: InterpreterDied): void;
}

const isPythonError = (error: unknown): boolean => (error as { name?: string } | null)?.name === "PythonError";

export class Interpreter {
  readonly booted: Booted;
  #alive = true;
  /** Calls that have entered, the oldest first. */
  readonly #entered = new Set<Call>();
  /** Calls that were begun since nothing was in flight and a collection was asked for. */
  #sinceIdle = 0;
  #patience = CALLS_WITHOUT_IDLE;
  #collect: PyProxy | undefined;

  constructor(booted: Booted) {
    this.booted = booted;
    booted.module.API.on_fatal = (error) => this.#die(error);
  }

  get alive(): boolean {
    return this.#alive;
  }

  /**
   * Whether new calls should go to another interpreter, because garbage has not been collected here for long: a call
   * does not end, or has been given up by the platform, which resets an object or cancels a request without a word.
   */
  get worn(): boolean {
    if (this.#sinceIdle <= WORN_CALLS) return false;
    const [oldest] = this.#entered;
    return oldest !== undefined && Date.now() - oldest.since > WORN_AGE;
  }

  /** Linear memory, in bytes. It never shrinks. */
  get memory(): number {
    return this.booted.module.HEAPU8.byteLength;
  }

  /** A Python function that is called when no stack is suspended. */
  collectWith(collect: PyProxy): void {
    this.#collect = collect;
  }

  /**
   * Calls a Python function that may wait. There must be no Python on JavaScript's own stack. Rejects with a
   * PythonError, or with InterpreterDied.
   */
  async enter(callable: PyProxy, ...args: unknown[]): Promise<unknown> {
    if (++this.#sinceIdle > this.#patience) await this.#idle();
    let call: Call | undefined;
    try {
      return await new Promise((resolve, reject) => {
        // Stacks that are suspended when the interpreter dies are never resumed: their calls end with it.
        call = { since: Date.now(), end: reject };
        this.#entered.add(call);
        this.#callAtOnce(callable, args).then(resolve, reject);
      });
    } catch (error) {
      if (isPythonError(error) && this.#alive) throw error;
      this.#die(error);
      throw error instanceof InterpreterDied ? error : new InterpreterDied(error);
    } finally {
      if (call) this.#entered.delete(call);
      if (this.#entered.size === 0 && this.#alive && this.#sinceIdle >= CALLS_BETWEEN) {
        this.#sinceIdle = 0;
        this.#patience = CALLS_WITHOUT_IDLE;
        this.#collect?.();
      }
    }
  }

  /** Pyodide waits for a turn of the event loop first, in case there is Python on the stack: that costs a tenth of a request. */
  #callAtOnce(callable: PyProxy, args: unknown[]): Promise<unknown> {
    const { API } = this.booted.module;
    const { scheduleCallback } = API;
    API.scheduleCallback = (callback) => callback();
    try {
      return callable.callPromising(...args);
    } finally {
      API.scheduleCallback = scheduleCallback;
    }
  }

  /**
   * Waits until nothing is in flight, so that garbage can be collected under load that never pauses. Not for ever: a
   * call may itself wait for one that waits here. Everyone waits by a timer of its own, since a promise of one request
   * must not be settled by another that may be cancelled.
   */
  async #idle(): Promise<void> {
    const isBusy = (): boolean => this.#alive && this.#sinceIdle > this.#patience && this.#entered.size > 0;
    for (let i = 0; i < IDLE_TRIES && isBusy(); i++) await new Promise((done) => setTimeout(done, 1));
    if (isBusy()) this.#patience = 2 * this.#sinceIdle;
  }

  #die(cause: unknown): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const { end } of this.#entered) end(new InterpreterDied(cause));
  }
}
