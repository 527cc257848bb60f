/** The host that Python sees: one function each, put together from the bindings. */
import { scryptSync } from "node:crypto";
import type { Host, Waiting } from "../../contract/host.ts";
import { output } from "../python/console.ts";
import { setTimeZone } from "../python/local-time.ts";
import { pbkdf2 } from "../python/pbkdf2.ts";
import * as d1 from "./d1.ts";
import * as object from "./durable-object.ts";
import { copy } from "../python/memory.ts";
import { find, ifOpen, OVER, type Exchange } from "./requests.ts";
import { messageOf } from "./rows.ts";

function transactions(request: number) {
  const found = find(request).transactions;
  if (!found) throw new Error("Transactions need a Durable Object; a Worker on D1 has none.");
  return found;
}

/** What a database answers, or why it can't be asked. */
function answer(request: number, ask: (exchange: Exchange) => Promise<Uint8Array | string>): Waiting<Uint8Array | string> {
  const asked = async (): Promise<Uint8Array | string> => ask(find(request));
  return { promise: asked().catch(messageOf) };
}

export const host: Host = {
  log(level, text) {
    output.sink.write(level, text);
  },
  output(name, text) {
    output.sink.write(name === "stderr" ? "error" : "log", text);
  },
  sleep: (milliseconds) => ({ promise: new Promise((done) => setTimeout(done, milliseconds)) }),
  set_time_zone: setTimeZone,
  schedule(callback, milliseconds = 0) {
    setTimeout(callback, milliseconds);
  },
  // Of Node's Buffer, Pyodide would not know what it is.
  scrypt: (password, salt, N, r, p, maxmem, length) => new Uint8Array(scryptSync(password, salt, length, { N, r, p, ...(maxmem > 0 && { maxmem }) })),
  pbkdf2,

  bindings: (request) => find(request).scope.env,
  storage: (request) => find(request).scope.storage,
  wait_until(request) {
    const { promise, resolve } = Promise.withResolvers<void>();
    find(request).scope.waitUntil(promise);
    return resolve;
  },

  async read(request) {
    const { body } = find(request);
    if (!body) return undefined;
    const { value, done } = await body.read();
    return done ? undefined : value;
  },
  respond(request, status, headers, ...body) {
    find(request).answer({ status, headers, body: body.length === 0 ? undefined : copy(body) });
  },
  async write(request, piece) {
    const { writer } = find(request);
    if (!writer) throw new Error("There is no response to write to.");
    try {
      await writer.write(piece);
    } catch (error) {
      // When the client goes away the stream is cancelled without a reason, and Python can't raise what is undefined.
      throw error ?? new Error("The client closed the connection.");
    }
  },
  end(request) {
    // Closing waits for the client; nobody needs to wait for that.
    find(request).writer?.close().catch(() => undefined);
  },

  object_for_tests: (request) => find(request).scope.forTests === true,
  object_query(request, sql, ...parameters) {
    const exchange = ifOpen(request);
    if (!exchange) return OVER;
    const { scope, transactions, results } = exchange;
    if (!scope.storage) return "This request is not served by a Durable Object.";
    return transactions?.refusal ?? object.query(scope.storage, results, sql, parameters);
  },
  result_more: (request, result) => find(request).results.more(result),
  result_count: (request, result) => find(request).results.count(result),
  result_close: (request, result) => ifOpen(request)?.results.close(result),
  object_begin: (request) => ({ promise: transactions(request).begin() }),
  object_commit: (request, depth) => ({ promise: transactions(request).commit(depth) }),
  object_rollback: (request, depth) => ({ promise: transactions(request).rollback(depth) }),

  d1_session: (request, binding, start) => find(request).sessions.open(binding, start),
  d1_bookmark: (request, binding) => find(request).sessions.bookmark(binding),
  d1_query: (request, binding, sql, ...parameters) =>
    answer(request, ({ sessions, results }) => d1.query(sessions, results, binding, sql, parameters)),
  d1_batch: (request, binding, ...statements) =>
    answer(request, ({ sessions, results }) => d1.batch(sessions, results, binding, statements)),
};
