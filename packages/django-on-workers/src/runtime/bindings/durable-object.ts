/** SQL in the Durable Object that serves the request. */
import type { Bytes } from "../../contract/host.ts";
import { MarshalWriter } from "../../contract/marshal.ts";
import { changesRows, messageOf, readParameters, writeRows, type SqlValue } from "./rows.ts";

export function query(storage: DurableObjectStorage, sql: string, parameters: Bytes | []): Uint8Array | string {
  try {
    const cursor = storage.sql.exec(sql, ...readParameters<SqlValue[]>(parameters));
    const columns = cursor.columnNames;
    const rows = [...cursor.raw()] as SqlValue[][];
    let changed = -1;
    let lastRowId: number | null = null;
    if (changesRows(sql)) {
      [[changed, lastRowId]] = [...storage.sql.exec("SELECT changes(), last_insert_rowid()").raw()] as [[number, number]];
    }
    const writer = new MarshalWriter();
    writeRows(writer, columns, rows, changed, lastRowId);
    return writer.bytes;
  } catch (error) {
    return messageOf(error);
  }
}
