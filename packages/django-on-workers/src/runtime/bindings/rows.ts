/** Results of a query as one buffer: `(columns, rows, rows changed, last row id)` in Python's marshal format. */
import type { Bytes } from "../../contract/host.ts";
import { MarshalWriter, readMarshal, type Marshalled } from "../../contract/marshal.ts";
import { view } from "../python/memory.ts";

export type SqlValue = ArrayBuffer | string | number | null;

/** `rowsChanged` is -1 where the statement changes none. */
export function writeRows(
  writer: MarshalWriter,
  columns: readonly string[],
  rows: Iterable<readonly SqlValue[]>,
  rowsChanged: number,
  lastRowId: number | null,
): void {
  const list = Array.isArray(rows) ? (rows as (readonly SqlValue[])[]) : [...rows];
  writer.tuple(4);
  writer.value(columns);
  writer.list(list.length);
  for (const row of list) {
    writer.tuple(row.length);
    for (const value of row) writer.value(value);
  }
  writer.value(rowsChanged);
  writer.value(lastRowId);
}

/** Parameters as Python passes them: nothing, or `marshal` data. */
export function readParameters<Shape extends Marshalled>(parameters: Bytes | []): Shape {
  return (parameters.length === 0 ? [] : readMarshal(view(parameters))) as unknown as Shape;
}

/** Whether a statement may change rows. A WITH may lead to either kind. */
export const changesRows = (sql: string): boolean => /^\s*(?:insert|update|delete|replace|with)\b/i.test(sql);

/** What a database says, without the class of the JavaScript error before it. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
