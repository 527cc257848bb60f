/** SQL in the Durable Object that serves the request. */
import type { MarshalWriter } from "../../contract/marshal.ts";
import { changesRows, writeResult, type OpenResults, type Rows, type SqlValue } from "./rows.ts";

type Cursor = SqlStorageCursor<Record<string, SqlStorageValue>>;

/**
 * Rows as SQLite finds them, so that a large result is never whole in memory. Statements may run between them, and
 * transactions end: what these change is seen or not, as with any cursor of SQLite.
 */
function live(cursor: Cursor): Rows {
  const rows = cursor.raw() as IterableIterator<SqlValue[]>;
  return {
    next: () => rows.next(),
    return() {
      // A cursor can't be closed, but `one()` ends a query that has more than one row, and then complains. Left to the
      // garbage collector it would keep tables from being dropped.
      try {
        cursor.one();
      } catch {
        // It always does.
      }
      return { done: true, value: undefined };
    },
  };
}

/** Runs a statement and writes its result. Throws what SQLite has against it. */
export function query(writer: MarshalWriter, storage: DurableObjectStorage, open: OpenResults, sql: string, ...parameters: SqlValue[]): void {
  const cursor = storage.sql.exec(sql, ...parameters);
  const columns = cursor.columnNames;
  if (!changesRows(sql) && cursor.rowsWritten === 0) {
    writeResult(writer, open, columns, live(cursor), -1, null);
    return;
  }
  // What writes has to end at once: a transaction can't be committed before.
  const rows = [...cursor.raw()] as SqlValue[][];
  let changed = rows.length;
  let lastRowId: number | null = null;
  if (columns.length === 0) [[changed, lastRowId]] = [...storage.sql.exec("SELECT changes(), last_insert_rowid()").raw()] as [[number, number]];
  writeResult(writer, open, columns, rows.values(), changed, lastRowId);
}
