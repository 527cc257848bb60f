/** SQL on a D1 database. https://developers.cloudflare.com/d1/worker-api/ */
import type { Bytes } from "../../contract/host.ts";
import { MarshalWriter } from "../../contract/marshal.ts";
import { changesRows, messageOf, readParameters, writeRows, type SqlValue } from "./rows.ts";

interface Results {
  results: SqlValue[][];
  columns: string[];
  meta: { changes?: number; last_row_id?: number };
}

function database(env: object, binding: string): D1Database | string {
  const found = (env as Record<string, D1Database | undefined>)[binding];
  return (
    found ??
    `The Worker has no D1 binding named ${binding}. Add it to d1_databases in the Wrangler configuration, or name another in DATABASES["default"]["NAME"].`
  );
}

function write(writer: MarshalWriter, sql: string, { results, columns, meta }: Results): void {
  const changes = changesRows(sql);
  writeRows(writer, columns, results, changes ? (meta.changes ?? -1) : -1, changes ? (meta.last_row_id ?? null) : null);
}

/** D1's results are objects, in which columns of one name collapse; `raw` keeps them apart but knows no counts. */
function asRows(result: D1Result<Record<string, SqlValue>>): Results {
  const columns = Object.keys(result.results[0] ?? {});
  return { columns, results: result.results.map((row) => Object.values(row)), meta: result.meta };
}

export async function query(env: object, binding: string, sql: string, parameters: Bytes | []): Promise<Uint8Array | string> {
  const db = database(env, binding);
  if (typeof db === "string") return db;
  try {
    const statement = db.prepare(sql).bind(...readParameters<SqlValue[]>(parameters));
    const writer = new MarshalWriter();
    if (changesRows(sql)) {
      write(writer, sql, asRows(await statement.run<Record<string, SqlValue>>()));
    } else {
      const [columns, ...rows] = (await statement.raw({ columnNames: true })) as [string[], ...SqlValue[][]];
      writeRows(writer, columns ?? [], rows, -1, null);
    }
    return writer.bytes;
  } catch (error) {
    return messageOf(error);
  }
}

export async function batch(env: object, binding: string, statements: Bytes): Promise<Uint8Array | string> {
  const db = database(env, binding);
  if (typeof db === "string") return db;
  try {
    const list = readParameters<[string, SqlValue[]][]>(statements);
    const results = await db.batch<Record<string, SqlValue>>(list.map(([sql, parameters]) => db.prepare(sql).bind(...parameters)));
    const writer = new MarshalWriter();
    writer.list(results.length);
    results.forEach((result, index) => write(writer, list[index]?.[0] ?? "", asRows(result)));
    return writer.bytes;
  } catch (error) {
    return messageOf(error);
  }
}
