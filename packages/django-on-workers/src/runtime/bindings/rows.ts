/** Results of a query as one buffer: `(columns, rows, rows changed, last row id)` in Python's marshal format. */
import { MarshalWriter, readMarshal, type Marshalled } from "../../contract/marshal.ts";

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

interface Buffer {
  getBuffer(type: "u8"): { data: Uint8Array; release(): void };
}

/** Parameters as Python passes them: nothing, or `marshal` data. */
export function readParameters<Shape extends Marshalled>(parameters: unknown): Shape {
  if (parameters === undefined || parameters === null) return [] as unknown as Shape;
  const buffer = (parameters as Buffer).getBuffer("u8");
  try {
    return readMarshal(buffer.data) as Shape;
  } finally {
    buffer.release();
  }
}

/** What a database says, without the class of the JavaScript error before it. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
