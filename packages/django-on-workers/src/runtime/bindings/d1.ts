/** SQL on a D1 database. https://developers.cloudflare.com/d1/worker-api/ */
import { changesRows, writeResult, type OpenResults, type SqlValue, type Statement, type Write } from "./rows.ts";

/** D1's answers are JSON, in which bytes are arrays of numbers. */
type JsonValue = SqlValue | number[];
type Row = Record<string, JsonValue>;

/** Rows with their bytes as such, and whether a number among them is one that may have been rounded. */
function fromJson(rows: JsonValue[][]): { rows: SqlValue[][]; rounded: boolean } {
  let rounded = false;
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i] as JsonValue;
      if (typeof value === "number") rounded ||= Number.isInteger(value) && !Number.isSafeInteger(value);
      else if (Array.isArray(value)) (row as SqlValue[])[i] = Uint8Array.from(value).buffer;
    }
  }
  return { rows: rows as SqlValue[][], rounded };
}

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
function counted(open: OpenResults, sql: string, { results, meta }: D1Result<Row>): Write {
  const changes = changesRows(sql);
  const columns = Object.keys(results[0] ?? {});
  const { rows } = fromJson(results.map((row) => Object.values(row)));
  return (writer) => writeResult(writer, open, columns, rows.values(), changes ? meta.changes : -1, changes ? meta.last_row_id : null);
}

/** Runs a statement. Resolves with what writes its result; rejects with what D1 has against it. */
export function query(sessions: Sessions, open: OpenResults, binding: string, sql: string, ...parameters: SqlValue[]): Promise<Write> {
  const changes = changesRows(sql);
  const statement = sessions.database(binding, changes).prepare(sql).bind(...parameters);
  if (changes) return statement.all<Row>().then((result) => counted(open, sql, result));
  return statement.raw({ columnNames: true }).then((found) => {
    const columns = ((found as unknown[]).shift() ?? []) as string[];
    const { rows, rounded } = fromJson(found as unknown as JsonValue[][]);
    return (writer) => {
      // The result is here as a whole, so what has to be read again is known before anything else is written.
      writer.rounded = rounded;
      writeResult(writer, open, columns, rows.values(), -1, null);
    };
  });
}

/** Runs statements as one transaction, like {@link query}. */
export async function batch(sessions: Sessions, open: OpenResults, binding: string, statements: readonly Statement[]): Promise<Write> {
  const db = sessions.database(binding, true);
  const results = await db.batch<Row>(statements.map(([sql, ...parameters]) => db.prepare(sql).bind(...parameters)));
  return (writer) => {
    writer.list(results.length);
    results.forEach((result, index) => counted(open, statements[index]?.[0] ?? "", result)(writer));
  };
}
