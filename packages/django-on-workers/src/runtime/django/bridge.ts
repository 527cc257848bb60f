/** A `Request` to Python, and what Python answers to a `Response`. */
import { begin, find, finish, type ResponseParts, type Scope } from "../bindings/requests.ts";
import type { Application } from "./application.ts";

/** Statuses whose responses have no body: https://fetch.spec.whatwg.org/#null-body-status */
const BODILESS = new Set([101, 103, 204, 205, 304]);

const URL_PARTS = /^(\w+):\/\/([^/?#]*)([^?#]*)\??([^#]*)/;

/**
 * The lines that `django_on_workers/runtime/head.py` parses. A request's URL is normal: `new URL` would find the same.
 *
 * Where the platform has put what it accepts itself into Accept-Encoding, as Miniflare does in every request,
 * `cf.clientAcceptEncoding` holds what the client said, and is empty where that said nothing. Django is told what the
 * client said: through Wrangler, one that asked for nothing gets what Django compresses as it is.
 * https://developers.cloudflare.com/workers/runtime-apis/request/#incomingrequestcfproperties
 */
function headOf({ method, url, headers, cf }: Request): string {
  const [, scheme, host, path, query] = URL_PARTS.exec(url) ?? [];
  const client = headers.get("cf-connecting-ip") ?? "127.0.0.1";
  let head = `${method}\n${scheme}\n${host}\n${client}\n${path}\n${query}`;
  const accepted = cf?.["clientAcceptEncoding"] as string | undefined;
  for (const [name, value] of headers) {
    if (name !== "accept-encoding" || accepted === undefined) head += `\n${name}: ${value}`;
    else if (accepted) head += `\n${name}: ${accepted}`;
  }
  return head;
}

/**
 * What a response is made with besides its body; nothing for most, because the platform takes a fortieth of a small
 * request over it.
 */
function initOf(status: number, lines: string): ResponseInit | undefined {
  // Where Django says Content-Encoding, it has done that itself: the platform would do it again.
  // https://developers.cloudflare.com/workers/runtime-apis/response/
  if (/^content-encoding:/im.test(lines)) return { status, encodeBody: "manual" };
  return status === 200 ? undefined : { status };
}

/** A response with headers as lines; entering them here spares the platform a copy. */
function responseOf(body: Uint8Array | ReadableStream | null, status: number, lines: string): Response {
  const response = new Response(body, initOf(status, lines));
  const { headers } = response;
  if (lines) {
    for (const line of lines.split("\n")) {
      const colon = line.indexOf(": ");
      headers.append(line.slice(0, colon), line.slice(colon + 2));
    }
  }
  return response;
}

/** With a declared length the platform sends that instead of chunks, and checks it. */
function streamFor(lines: string): TransformStream<Uint8Array, Uint8Array> {
  const [, length] = /^content-length: (\d+)$/im.exec(lines) ?? [];
  return length === undefined ? new TransformStream() : new FixedLengthStream(Number(length));
}

const failed = (): Response =>
  new Response("Internal Server Error\n", { status: 500, headers: { "content-type": "text/plain; charset=utf-8" } });

export async function serve(application: Application, request: Request, scope: Scope): Promise<Response> {
  let incoming = request;
  if (request.body && !request.headers.has("content-length")) {
    // WSGI has no way to read a body of unknown length.
    const body = await request.arrayBuffer();
    incoming = new Request(request, { body, headers: [...request.headers, ["content-length", String(body.byteLength)]] });
  }
  const answered = Promise.withResolvers<Response>();
  /** A response that goes out when Python has returned: what it still does then is done before the next request. */
  let whole: Response | undefined;
  let responded = false;
  const id = begin(scope, incoming.body, ({ status, headers: lines, body }: ResponseParts) => {
    responded = true;
    if (BODILESS.has(status) || request.method === "HEAD") {
      // What Python still writes is thrown away.
      find(id).writer = new WritableStream<Uint8Array>().getWriter();
      answered.resolve(responseOf(null, status, lines));
    } else if (body !== undefined) {
      whole = responseOf(body, status, lines);
    } else {
      const { readable, writable } = streamFor(lines);
      find(id).writer = writable.getWriter();
      answered.resolve(responseOf(readable, status, lines));
    }
  });
  const serving = async (): Promise<void> => {
    try {
      await application.serve(id, headOf(incoming));
    } catch (error) {
      // A client that went away is no error.
      if (!responded || !isDisconnect(error)) console.error(describe(error));
      find(id).writer?.abort(error).catch(() => undefined);
    }
    try {
      await finish(id);
    } finally {
      if (whole || !responded) answered.resolve(whole ?? failed());
    }
  };
  scope.waitUntil(serving());
  return answered.promise;
}

const isDisconnect = (error: unknown): boolean =>
  /client closed the connection|The client disconnected|writable side of this|has been (?:canceled|aborted|closed)/i.test(String(error));

function describe(error: unknown): string {
  const cause = (error as { cause?: unknown } | null)?.cause;
  return cause ? `${String(error)}\n${String(cause)}` : String(error);
}
