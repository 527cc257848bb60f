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

/** Calls that may begin one upon another before new ones wait for the others to end. */
const CALLS_WITHOUT_IDLE = 64;
const IDLE_TRIES = 1000;

const isPythonError = (error: unknown): boolean => (error as { name?: string } | null)?.name === "PythonError";

export class Interpreter {
  readonly booted: Booted;
  #alive = true;
  /** How to end each call that has entered. */
  readonly #entered = new Set<(error: InterpreterDied) => void>();
  /** Calls that were begun since nothing was in flight and a collection was asked for. */
  #sinceIdle = 0;
  #collect: PyProxy | undefined;

  constructor(booted: Booted) {
    this.booted = booted;
    booted.module.API.on_fatal = (error) => this.#die(error);
  }

  get alive(): boolean {
    return this.#alive;
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
    if (++this.#sinceIdle > CALLS_WITHOUT_IDLE) await this.#idle();
    let leave: ((error: InterpreterDied) => void) | undefined;
    try {
      return await new Promise((resolve, reject) => {
        // Stacks that are suspended when the interpreter dies are never resumed: their calls end with it.
        leave = reject;
        this.#entered.add(leave);
        this.#callAtOnce(callable, args).then(resolve, reject);
      });
    } catch (error) {
      if (isPythonError(error) && this.#alive) throw error;
      this.#die(error);
      throw error instanceof InterpreterDied ? error : new InterpreterDied(error);
    } finally {
      if (leave) this.#entered.delete(leave);
      if (this.#entered.size === 0 && this.#alive && this.#sinceIdle >= CALLS_BETWEEN) {
        this.#sinceIdle = 0;
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
    for (let i = 0; i < IDLE_TRIES && this.#alive && this.#sinceIdle > CALLS_WITHOUT_IDLE && this.#entered.size > 0; i++) {
      await new Promise((done) => setTimeout(done, 1));
    }
  }

  #die(cause: unknown): void {
    if (!this.#alive) return;
    this.#alive = false;
    for (const reject of this.#entered) reject(new InterpreterDied(cause));
  }
}
