/** The host that an interpreter sees: one function each, put together from the bindings. */
import type { Answer, Bytes, Host } from "../../contract/host.ts";
import { MarshalWriter } from "../../contract/marshal.ts";
import { output } from "../python/console.ts";
import { setTimeZone } from "../python/local-time.ts";
import { pbkdf2 } from "../python/pbkdf2.ts";
import * as d1 from "./d1.ts";
import * as object from "./durable-object.ts";
import type { LinearMemory } from "../python/memory.ts";
import { find, ifOpen, OVER, type Exchange } from "./requests.ts";
import { messageOf, readStatement, readStatements, type Write } from "./rows.ts";

function transactions(request: number) {
  const found = find(request).transactions;
  if (!found) throw new Error("Transactions need a Durable Object; a Worker on D1 has none.");
  return found;
}

/** A database that is asked. Its answer is kept for Python to fetch, which is cheaper than an object that it has to wrap. */
async function later(request: number, ask: (exchange: Exchange) => Promise<Write>): Promise<number | string> {
  try {
    const exchange = find(request);
    return exchange.results.answered(await ask(exchange));
  } catch (error) {
    return messageOf(error);
  }
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
export function createHost(memory: LinearMemory): Host {
  const marshal = new MarshalWriter();
  let place: Bytes = [0, 0];
  let latest: Promise<unknown> = Promise.resolve();

  function start(promise: Promise<unknown>): void {
    latest = promise;
  }

  /** What `write` gives to the writer, where Python wants it; or the message of what it throws. */
  function answer(write: () => void): Answer {
    try {
      marshal.clear();
      write();
    } catch (error) {
      return messageOf(error);
    }
    const { bytes } = marshal;
    if (bytes.byteLength > place[1]) return bytes;
    memory.write(place[0], bytes);
    return bytes.byteLength;
  }

  return {
    answers_at(...bytes) {
      place = bytes;
    },
    started: {
      // Read when a wait begins; what it gives is called later, when others may have been started.
      // oxlint-disable-next-line unicorn/no-thenable -- it stands for promises
      get then() {
        return latest.then.bind(latest);
      },
    },
    log(level, text) {
      output.sink.write(level, text);
    },
    output(name, text) {
      output.sink.write(name === "stderr" ? "error" : "log", text);
    },
    sleep: (milliseconds) => start(new Promise((done) => setTimeout(done, milliseconds))),
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

    bindings: (request) => find(request).scope.env,
    storage: (request) => find(request).scope.storage,
    wait_until(request) {
      const { promise, resolve } = Promise.withResolvers<void>();
      find(request).scope.waitUntil(promise);
      return resolve;
    },

    read: (request) => start(read(request)),
    respond(request, status, headers, ...body) {
      find(request).answer({ status, headers, body: body.length === 0 ? undefined : memory.copy(body) });
    },
    write: (request, piece) => start(write(request, piece)),
    end(request) {
      // Closing waits for the client; nobody needs to wait for that.
      find(request).writer?.close().catch(() => undefined);
    },

    object_for_tests: (request) => find(request).scope.forTests === true,
    object_query(request, ...statement) {
      const exchange = ifOpen(request);
      if (!exchange) return OVER;
      const { scope, transactions, results } = exchange;
      if (!scope.storage) return "This request is not served by a Durable Object.";
      if (transactions?.refusal !== undefined) return transactions.refusal;
      const { storage } = scope;
      return answer(() => object.query(marshal, storage, results, ...readStatement(memory, statement)));
    },
    result_more: (request, result) => answer(() => find(request).results.more(marshal, result)),
    result_count: (request, result) => find(request).results.count(result),
    result_close: (request, result) => ifOpen(request)?.results.close(result),
    object_begin: (request) => start(transactions(request).begin()),
    object_commit: (request, depth) => start(transactions(request).commit(depth)),
    object_rollback: (request, depth) => start(transactions(request).rollback(depth)),

    d1_session: (request, binding, from) => find(request).sessions.open(binding, from),
    d1_bookmark: (request, binding) => find(request).sessions.bookmark(binding),
    d1_query: (request, binding, ...statement) =>
      start(later(request, ({ sessions, results }) => d1.query(sessions, results, binding, ...readStatement(memory, statement)))),
    d1_batch: (request, binding, ...statements) =>
      start(later(request, ({ sessions, results }) => d1.batch(sessions, results, binding, readStatements(memory, statements)))),
    d1_answer: (request, number) => answer(() => find(request).results.answer(marshal, number)),
  };
}
