/**
 * What Python can reach in JavaScript: the shapes of the modules `_django_on_workers` and `_django_on_workers_calls`, see
 * the package's `_host.py`.
 *
 * Requests are numbers; a number that is unknown belongs to a request that is over.
 */
import type { Level } from "./levels.ts";
import type { MarshalWriter } from "./marshal.ts";

/** Bytes of Python's, where they lie in linear memory. They are there until the call returns, or what it waits for is there. */
export type Bytes = readonly [address: number, length: number];

/**
 * What a call has found. Python is told with True that the answer is whole: that it lies as `marshal` data where Python
 * wants answers, or that nothing was to be said. With False it asks {@link Host.rest}: for the message of an error, or for
 * bytes, which are pieces of a body or an answer that was too long for its place.
 */
export type Found = ((writer: MarshalWriter) => void) | Uint8Array | Error | void;

/**
 * Functions that Python calls for every request and query, as it calls functions of C (runtime/python/calls.ts): with the
 * `marshal` data of a tuple, which are the arguments here, and perhaps with bytes behind it. To others Pyodide passes every
 * argument by itself, and makes an object for the result.
 */
export type CallsAtOnce = {
  /** Says where Python wants answers. */
  answers_at(place: Bytes): Found;
  /** Sends the head of a response, headers as lines, and with a body all of it; without one, `write` and `end` follow. */
  respond(request: number, status: number, headers: string, body?: Bytes): Found;
  /** Runs one statement in the Durable Object. */
  object_query(request: number, sql: string, ...parameters: unknown[]): Found;
  /** The next chunk of a result that has come in part. */
  result_more(request: number, result: number): Found;
};

/** Calls that have the stack they are made from wait for what they start. */
export type CallsWaiting = {
  sleep(milliseconds: number): Promise<Found>;
  /** The next piece of the request's body; nothing at its end. */
  read(request: number): Promise<Found>;
  /** Sends a piece of a response. An error when the client has gone away. */
  write(request: number, piece: Bytes): Promise<Found>;

  /** Opens a transaction, or a savepoint inside one. */
  object_begin(request: number): Promise<Found>;
  /** Ends savepoints and the transaction, from the innermost on, until `depth` of them are open. */
  object_commit(request: number, depth: number): Promise<Found>;
  object_rollback(request: number, depth: number): Promise<Found>;

  /** Runs one statement on D1. */
  d1_query(request: number, binding: string, sql: string, ...parameters: unknown[]): Promise<Found>;
  /** Runs statements as one transaction; results in order, as one list. */
  d1_batch(request: number, binding: string, ...statements: [sql: string, ...parameters: unknown[]][]): Promise<Found>;
};

export interface Host {
  /** What a call that returned False has found; bytes are valid until the next call. */
  rest(): Uint8Array | string;

  log(level: Level, text: string): void;
  /** Output of a management command, to its caller. */
  output(request: number, name: "stdout" | "stderr", text: string): void;
  /** Sets the zone of the C library's local time. False for a name that the tz database does not have. */
  set_time_zone(name: string): boolean;
  /** Runs a callback of Python's event loop on a later turn, on behalf of the request that asks. */
  schedule(callback: () => void, milliseconds?: number): void;
  /** Throws where the platform's node:crypto refuses the parameters. */
  scrypt(password: Uint8Array, salt: Uint8Array, n: number, r: number, p: number, maxmem: number, length: number): Uint8Array;
  pbkdf2(hash: "sha1" | "sha256", password: Uint8Array, salt: Uint8Array, iterations: number, length: number): Uint8Array;

  /** Has the next request begin with a new interpreter: what this one lacks it will not have again. */
  wear(request: number): void;
  bindings(request: number): object;
  storage(request: number): object | undefined;
  /** Returns a function that ends the wait. */
  wait_until(request: number): () => void;

  /** As the calls of these names, to be awaited. */
  read(request: number): Promise<Uint8Array | undefined>;
  write(request: number, piece: Uint8Array): Promise<void>;
  end(request: number): void;

  /** Whether the request is served by an object that exists for tests. */
  object_for_tests(request: number): boolean;
  /** Gives up the rest of a result, and says how many rows that were. */
  result_count(request: number, result: number): number;
  /** Gives up the rest of a result; the request may be over. */
  result_close(request: number, result: number): void;

  /** Has the request's statements to this database go through a session, from a constraint or a bookmark on. */
  d1_session(request: number, binding: string, start: string): void;
  /** The bookmark of the session, if the request has written. */
  d1_bookmark(request: number, binding: string): string | undefined;
}
