/** The requests that are being served: what Python knows by a number. */
import { Sessions } from "./d1.ts";
import { OpenResults } from "./rows.ts";
import { TransactionStack } from "./transactions.ts";

/** Whoever waits for the response. */
export interface Client {
  /** Fails when the client has gone away, and when it has its response; does not resolve. */
  left(): Promise<unknown>;
}

export interface Scope {
  env: object;
  waitUntil(promise: Promise<unknown>): void;
  /** The storage of the Durable Object that serves the request, if one does. */
  storage?: DurableObjectStorage;
  /** Known in a Durable Object, which would not be told of its end while a transaction is open. */
  client?: Client;
  /** Takes what a management command writes. */
  output?(name: "stdout" | "stderr", text: string): void;
  /** The object exists for tests: its storage may be emptied, and holds no site. */
  forTests?: boolean;
}

export interface Exchange {
  readonly scope: Scope;
  readonly transactions: TransactionStack | undefined;
  readonly sessions: Sessions;
  readonly results: OpenResults;
  body: ReadableStreamDefaultReader<Uint8Array> | undefined;
  /** Set once, when Python sends the head. */
  answer(response: ResponseParts): void;
  writer: WritableStreamDefaultWriter<Uint8Array> | undefined;
  /** Its interpreter should serve no more requests. */
  worn?: true;
}

export interface ResponseParts {
  status: number;
  headers: string;
  /** `undefined` when pieces follow. */
  body: Uint8Array | undefined;
}

const open = new Map<number, Exchange>();
let last = 0;

const never = (): Promise<never> => new Promise(() => undefined);

export function begin(scope: Scope, body: ReadableStream<Uint8Array> | null, answer: Exchange["answer"]): number {
  const id = ++last;
  const { client, storage } = scope;
  let answered = false;
  const left = client && (() => client.left().then(never, () => (answered ? never() : undefined)));
  open.set(id, {
    scope,
    transactions: storage && new TransactionStack(storage, left),
    sessions: new Sessions(scope.env, scope.forTests),
    results: new OpenResults(),
    body: body?.getReader(),
    answer(parts) {
      answered = true;
      answer(parts);
    },
    writer: undefined,
  });
  return id;
}

export const OVER = "This request is over; what belonged to it can't be used any more.";

/** A request that may be over. */
export const ifOpen = (id: number): Exchange | undefined => open.get(id);

export function find(id: number): Exchange {
  const exchange = open.get(id);
  if (!exchange) throw new Error(OVER);
  return exchange;
}

/** Ends a request. Results that Python left unread are given up; a transaction that it left open, because it died, is rolled back. */
export async function finish(id: number): Promise<void> {
  const exchange = open.get(id);
  open.delete(id);
  exchange?.results.closeAll();
  await exchange?.transactions?.rollback(0);
}
