/** SQL on a D1 database. https://developers.cloudflare.com/d1/worker-api/ */
import type { Bytes } from "../../contract/host.ts";
import { MarshalWriter } from "../../contract/marshal.ts";
import { anyRounded, changesRows, messageOf, readParameters, writeResult, type OpenResults, type SqlValue } from "./rows.ts";

/** D1's answers are JSON, in which bytes are arrays of numbers. */
type JsonValue = SqlValue | number[];
type Row = Record<string, JsonValue>;

/** Rows with their bytes as such. */
const withBytes = (rows: readonly JsonValue[][]): SqlValue[][] =>
  rows.map((row) => (row.some(Array.isArray) ? row.map((value) => (Array.isArray(value) ? Uint8Array.from(value).buffer : value)) : (row as SqlValue[])));

/**
 * The sessions of a request, by binding. Statements of one see what its earlier ones did, whichever replica serves them.
 * https://developers.cloudflare.com/d1/best-practices/read-replication/
 */
export class Sessions {
  readonly #env: object;
  readonly #forTests: boolean;
  readonly #sessions = new Map<string, { session: D1DatabaseSession; wrote: boolean }>();

  /** `forTests` refuses a database that has one for tests beside it. */
  constructor(env: object, forTests = false) {
    this.#env = env;
    this.#forTests = forTests;
  }

  /** Opens a session from a constraint or a bookmark on, unless the request has one. */
  open(binding: string, start: string): void {
    const found = this.#binding(binding);
    if (found && !this.#sessions.has(binding)) this.#sessions.set(binding, { session: found.withSession(start), wrote: false });
  }

  /** What to send statements to. Without a session it is the primary database. */
  database(binding: string, writes: boolean): Pick<D1Database, "prepare" | "batch"> {
    const open = this.#sessions.get(binding);
    if (open) {
      open.wrote ||= writes;
      return open.session;
    }
    const found = this.#binding(binding);
    if (found) return found;
    throw new Error(
      `The Worker has no D1 binding named ${binding}. Add it to d1_databases in the Wrangler configuration, or name another in DATABASES["default"]["NAME"].`,
    );
  }

  /** Where another request's session must start to see what this one has written, if it has. */
  bookmark(binding: string): string | undefined {
    const open = this.#sessions.get(binding);
    return open?.wrote ? (open.session.getBookmark() ?? undefined) : undefined;
  }

  #binding(name: string): D1Database | undefined {
    if (this.#forTests && `test_${name}` in this.#env) {
      throw new Error(`${name} holds the site's data, and tests use test_${name}: a test case that needs it is one of django.test, or says so in 'databases'`);
    }
    return (this.#env as Record<string, D1Database | undefined>)[name];
  }
}

/** D1's results are objects, in which columns of one name collapse; `raw` keeps them apart but knows no counts. */
function write(writer: MarshalWriter, open: OpenResults, sql: string, { results, meta }: D1Result<Row>): void {
  const changes = changesRows(sql);
  const columns = Object.keys(results[0] ?? {});
  const rows = withBytes(results.map((row) => Object.values(row)));
  writeResult(writer, open, columns, rows.values(), changes ? meta.changes : -1, changes ? meta.last_row_id : null);
}

export async function query(sessions: Sessions, open: OpenResults, binding: string, sql: string, parameters: Bytes | []): Promise<Uint8Array | string> {
  try {
    const changes = changesRows(sql);
    const statement = sessions.database(binding, changes).prepare(sql).bind(...readParameters<SqlValue[]>(parameters));
    const writer = new MarshalWriter();
    if (changes) {
      write(writer, open, sql, await statement.all<Row>());
    } else {
      const [columns, ...found] = (await statement.raw({ columnNames: true })) as [string[], ...JsonValue[][]];
      const rows = withBytes(found);
      // A result is here as a whole, so what has to be read again is known before anything else is written.
      writer.rounded = anyRounded(rows);
      writeResult(writer, open, columns ?? [], rows.values(), -1, null);
    }
    return writer.bytes;
  } catch (error) {
    return messageOf(error);
  }
}

export async function batch(sessions: Sessions, open: OpenResults, binding: string, statements: Bytes): Promise<Uint8Array | string> {
  try {
    const db = sessions.database(binding, true);
    const list = readParameters<[string, SqlValue[]][]>(statements);
    const results = await db.batch<Row>(list.map(([sql, parameters]) => db.prepare(sql).bind(...parameters)));
    const writer = new MarshalWriter();
    writer.list(results.length);
    results.forEach((result, index) => write(writer, open, list[index]?.[0] ?? "", result));
    return writer.bytes;
  } catch (error) {
    return messageOf(error);
  }
}
