/**
 * What Python can reach in JavaScript: the shape of the module `_django_on_workers`, see the package's `_host.py`.
 *
 * Requests are numbers; a number that is unknown belongs to a request that is over. Errors of a database come back as
 * strings, which cost Python nothing to tell from results.
 */
import type { Level } from "./levels.ts";


/**
 * Bytes of Python's, where they lie in linear memory: a call that passes two numbers costs a fraction of one that wraps
 * an object. They are there until the call returns; JavaScript copies what it keeps.
 */
export type Bytes = [address: number, length: number];

/**
 * Something was started that takes its time; Python waits for it next, through {@link Host.started}. A promise would cost
 * Python two wrappers for every query, and Pyodide would make it a future of Python's event loop, and wait for turns of that.
 */
export type Started = void;

/**
 * What a database answers: the message of an error, or `marshal` data. Data lies where Python wants answers, and this is
 * its length; what is too long for that place comes as an array, which is valid until the next call.
 */
export type Answer = number | Uint8Array | string;

export interface Host {
  /** Where Python wants answers. */
  answers_at(...place: Bytes): void;
  /** Settles as what the call before has started does; always the same object, which Python wraps once. */
  readonly started: PromiseLike<unknown>;

  log(level: Level, text: string): void;
  /** Output of a management command. */
  output(name: "stdout" | "stderr", text: string): void;
  sleep(milliseconds: number): Started;
  /** Sets the zone of the C library's local time. False for a name that the tz database does not have. */
  set_time_zone(name: string): boolean;
  /** Runs a callback of Python's event loop on a later turn, on behalf of the request that asks. */
  schedule(callback: () => void, milliseconds?: number): void;
  /** Throws where the platform's node:crypto refuses the parameters. */
  scrypt(password: Uint8Array, salt: Uint8Array, n: number, r: number, p: number, maxmem: number, length: number): Uint8Array;
  pbkdf2(hash: "sha1" | "sha256", password: Uint8Array, salt: Uint8Array, iterations: number, length: number): Uint8Array;

  bindings(request: number): object;
  storage(request: number): object | undefined;
  /** Returns a function that ends the wait. */
  wait_until(request: number): () => void;

  /** The next piece of the request's body, a `Uint8Array`; `undefined` at its end. */
  read(request: number): Started;
  /** Sends the head, and with a body all of it; without one, `write` and `end` follow. */
  respond(request: number, status: number, headers: string, ...body: Bytes | []): void;
  /** Rejects when the client has gone away. */
  write(request: number, piece: Uint8Array): Started;
  end(request: number): void;

  /** Whether the request is served by an object that exists for tests. */
  object_for_tests(request: number): boolean;
  /** Runs one statement in the Durable Object: `marshal` data of the SQL and its parameters, as one sequence. */
  object_query(request: number, ...statement: Bytes): Answer;
  /** The next chunk of a result that has come in part. */
  result_more(request: number, result: number): Answer;
  /** Gives up the rest of a result, and says how many rows that were. */
  result_count(request: number, result: number): number;
  /** Gives up the rest of a result; the request may be over. */
  result_close(request: number, result: number): void;
  /** Opens a transaction, or a savepoint inside one. */
  object_begin(request: number): Started;
  /** Ends savepoints and the transaction, from the innermost on, until `depth` of them are open. */
  object_commit(request: number, depth: number): Started;
  object_rollback(request: number, depth: number): Started;

  /** Has the request's statements to this database go through a session, from a constraint or a bookmark on. */
  d1_session(request: number, binding: string, start: string): void;
  /** The bookmark of the session, if the request has written. */
  d1_bookmark(request: number, binding: string): string | undefined;
  /** Runs one statement on D1, as `object_query` gets it, and keeps its answer under a number for `d1_answer`; or a string, the message of an error. */
  d1_query(request: number, binding: string, ...statement: Bytes): Started;
  /** Runs statements as one transaction, a sequence of sequences; results in order, as one list, kept like that of `d1_query`. */
  d1_batch(request: number, binding: string, ...statements: Bytes): Started;
  d1_answer(request: number, number: number): Answer;
}
