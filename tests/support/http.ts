/** HTTP as the tests need it: a session with cookies and CSRF, and requests that `fetch` would not send. */
import { request as start, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";

export interface Answer {
  status: number;
  headers: IncomingMessage["headers"];
  /** Repeated headers apart, names as sent. */
  raw: string[];
  body: Buffer;
  text: string;
}

export interface RequestOptions {
  method?: string;
  headers?: OutgoingHttpHeaders;
  /** Several pieces are sent in chunks, without a length. */
  body?: string | Uint8Array | readonly (string | Uint8Array)[];
}

/** Sends the request without waiting for the body of the answer. The path goes out as it is. */
export function open(url: string, path: string, { method = "GET", headers = {}, body }: RequestOptions = {}): Promise<IncomingMessage> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = start({ hostname, port, path, method, headers, agent: false }, resolve);
    outgoing.on("error", reject);
    if (Array.isArray(body)) {
      for (const piece of body as (string | Uint8Array)[]) outgoing.write(piece);
      outgoing.end();
    } else if (body === undefined) outgoing.end();
    else {
      const bytes = Buffer.from(body as string | Uint8Array);
      outgoing.setHeader("content-length", bytes.byteLength);
      outgoing.end(bytes);
    }
  });
}

export async function send(url: string, path: string, options: RequestOptions = {}): Promise<Answer> {
  const incoming = await open(url, path, options);
  const pieces: Buffer[] = [];
  for await (const piece of incoming) pieces.push(piece as Buffer);
  const body = Buffer.concat(pieces);
  return { status: incoming.statusCode ?? 0, headers: incoming.headers, raw: incoming.rawHeaders, body, text: body.toString("utf8") };
}

/** The JSON that a view answers with. */
export async function json<Value = any>(url: string, path: string, options: RequestOptions = {}): Promise<Value> {
  const { status, text } = await send(url, path, options);
  if (status !== 200) throw new Error(`${path}: ${status}\n${text.slice(0, 2000)}`);
  return JSON.parse(text) as Value;
}

/** A visitor with cookies, who fills in Django's forms. */
export class Visitor {
  readonly url: string;
  readonly cookies = new Map<string, string>();

  constructor(url: string) {
    this.url = url;
  }

  async get(path: string): Promise<Answer> {
    return this.#send(path, {});
  }

  /** Posts a form to a page, with the token that the page's form holds. */
  async post(path: string, fields: Record<string, string>): Promise<Answer> {
    const page = await this.get(path);
    const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(page.text)?.[1];
    if (token === undefined) throw new Error(`${path} (${page.status}) has no form with a CSRF token.`);
    return this.#send(path, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", origin: this.url, referer: this.url + path },
      body: new URLSearchParams({ csrfmiddlewaretoken: token, ...fields }).toString(),
    });
  }

  async #send(path: string, options: RequestOptions): Promise<Answer> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const answer = await send(this.url, path, { ...options, headers: { ...options.headers, ...(cookie && { cookie }) } });
    for (const line of answer.headers["set-cookie"] ?? []) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (name === undefined || value === undefined) continue;
      if (/max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }
}
