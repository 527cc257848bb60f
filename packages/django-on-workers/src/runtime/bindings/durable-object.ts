/** SQL in the Durable Object that serves the request. */
import type { Bytes } from "../../contract/host.ts";
import { MarshalWriter } from "../../contract/marshal.ts";
import { messageOf, readParameters, writeRows, type SqlValue } from "./rows.ts";

/** Statements that say how many rows they changed. A WITH may lead to either kind. */
const CHANGES = /^\s*(?:insert|update|delete|replace|with)\b/i;

export function query(storage: DurableObjectStorage, sql: string, parameters: Bytes | []): Uint8Array | string {
  try {
    const cursor = storage.sql.exec(sql, ...readParameters<SqlValue[]>(parameters));
    const columns = cursor.columnNames;
    const rows = [...cursor.raw()] as SqlValue[][];
    let changed = -1;
    let lastRowId: number | null = null;
    if (CHANGES.test(sql)) {
      [[changed, lastRowId]] = [...storage.sql.exec("SELECT changes(), last_insert_rowid()").raw()] as [[number, number]];
    }
    const writer = new MarshalWriter();
    writeRows(writer, columns, rows, changed, lastRowId);
    return writer.bytes;
  } catch (error) {
    return messageOf(error);
  }
}
