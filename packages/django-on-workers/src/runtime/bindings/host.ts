/** The host that an interpreter sees: one function each, put together from the bindings. */
import type { Bytes, CallsAtOnce, CallsWaiting, Host } from "../../contract/host.ts";
import { MarshalWriter } from "../../contract/marshal.ts";
import { setTimeZone } from "../python/local-time.ts";
import { pbkdf2 } from "../python/pbkdf2.ts";
import * as d1 from "./d1.ts";
import * as object from "./durable-object.ts";
import type { LinearMemory } from "../python/memory.ts";
import { find, ifOpen } from "./requests.ts";
import { messageOf, type SqlValue, type Statement, type Write } from "./rows.ts";

function transactions(request: number) {
  const found = find(request).transactions;
  if (!found) throw new Error("Transactions need a Durable Object; a Worker on D1 has none.");
  return found;
}

async function read(request: number): Promise<Uint8Array | undefined> {
  const { body } = find(request);
  if (!body) return undefined;
  const { value, done } = await body.read();
  return done ? undefined : value;
}

async function write(request: number, piece: Uint8Array): Promise<void> {
  const { writer } = find(request);
  if (!writer) throw new Error("There is no response to write to.");
  try {
    await writer.write(piece);
  } catch (error) {
    // When the client goes away the stream is cancelled without a reason, and Python can't raise what is undefined.
    throw error ?? new Error("The client closed the connection.");
  }
}

/** The host of the interpreter that has this memory. */
export function createHost(memory: LinearMemory): { host: Host; calls: { atOnce: CallsAtOnce; waiting: CallsWaiting; finish(found: unknown): boolean } } {
  const marshal = new MarshalWriter();
  let place: Bytes = [0, 0];
  let rest: Uint8Array | string = "";

  /** Writes an answer where Python wants it. Says whether it has its place there. */
  function answer(write: Write): boolean {
    marshal.clear();
    write(marshal);
    const { bytes } = marshal;
    if (bytes.byteLength > place[1]) {
      rest = bytes;
      return false;
    }
    memory.write(place[0], bytes);
    return true;
  }

  function finish(found: unknown): boolean {
    if (found === undefined) return true;
    try {
      if (typeof found === "function") return answer(found as Write);
      if (found instanceof Uint8Array) rest = found;
      // Pyodide's own, when its stack can't be suspended.
      else rest = found instanceof Error ? found.message : "Python can't wait here: what called it does not wait for it.";
    } catch (error) {
      rest = messageOf(error);
    }
    return false;
  }

  const atOnce: CallsAtOnce = {
    answers_at(bytes) {
      place = bytes;
    },
    respond: (request, status, headers, body) => find(request).answer({ status, headers, body: body && memory.copy(body) }),
    object_query(request, sql, ...parameters) {
      const { scope, transactions, results } = find(request);
      const { storage } = scope;
      if (!storage) throw new Error("This request is not served by a Durable Object.");
      if (transactions?.refusal !== undefined) throw new Error(transactions.refusal);
      return (writer) => object.query(writer, storage, results, sql, ...(parameters as SqlValue[]));
    },
    result_more: (request, result) => (writer) => find(request).results.more(writer, result),
  };

  const waiting: CallsWaiting = {
    sleep: (milliseconds) => new Promise((done) => setTimeout(done, milliseconds)),
    read,
    write: (request, piece) => write(request, memory.copy(piece)),
    object_begin: (request) => transactions(request).begin(),
    object_commit: (request, depth) => transactions(request).commit(depth),
    object_rollback: (request, depth) => transactions(request).rollback(depth),
    d1_query(request, binding, sql, ...parameters) {
      const { sessions, results } = find(request);
      return d1.query(sessions, results, binding, sql, ...(parameters as SqlValue[]));
    },
    d1_batch(request, binding, ...statements) {
      const { sessions, results } = find(request);
      return d1.batch(sessions, results, binding, statements as Statement[]);
    },
  };

  const host: Host = {
    rest: () => rest,
    log(level, text) {
      console[level](text);
    },
    output(request, name, text) {
      find(request).scope.output?.(name, text);
    },
    set_time_zone: setTimeZone,
    schedule(callback, milliseconds = 0) {
      setTimeout(callback, milliseconds);
    },
    scrypt(password, salt, N, r, p, maxmem, length) {
      // Imported, it would cost every start a hundredth.
      const { scryptSync } = process.getBuiltinModule("node:crypto");
      // Of Node's Buffer, Pyodide would not know what it is.
      return new Uint8Array(scryptSync(password, salt, length, { N, r, p, ...(maxmem > 0 && { maxmem }) }));
    },
    pbkdf2,

    wear(request) {
      find(request).worn = true;
    },
    bindings: (request) => find(request).scope.env,
    storage: (request) => find(request).scope.storage,
    wait_until(request) {
      const { promise, resolve } = Promise.withResolvers<void>();
      find(request).scope.waitUntil(promise);
      return resolve;
    },

    read,
    write,
    end(request) {
      // Closing waits for the client; nobody needs to wait for that.
      find(request).writer?.close().catch(() => undefined);
    },

    object_for_tests: (request) => find(request).scope.forTests === true,
    result_count: (request, result) => find(request).results.count(result),
    result_close: (request, result) => ifOpen(request)?.results.close(result),

    d1_session: (request, binding, from) => find(request).sessions.open(binding, from),
    d1_bookmark: (request, binding) => find(request).sessions.bookmark(binding),
  };

  return { host, calls: { atOnce, waiting, finish } };
}
