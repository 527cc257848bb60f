/**
 * Results of a query as buffers in Python's marshal format: `(columns, rows, rest, rows changed, last row id, rounded)`.
 *
 * Rows are a chunk of the result. The rest is None, or the number by which the request asks for the next chunk, which is
 * `(rows, rest, rounded)`. Rounded says whether integers among these rows may not be exact.
 */
import type { MarshalWriter } from "../../contract/marshal.ts";

export type SqlValue = ArrayBuffer | string | number | null;
/** `return` gives up the rows that are left. */
export type Rows = Iterator<readonly SqlValue[], unknown, undefined>;

/** Bytes after which a chunk ends; as objects of Python's they take about five times as much. */
const CHUNK = 256 * 1024;

/** Writes an answer of a database. */
export type Write = (writer: MarshalWriter) => void;

/** The results of a request that it has not read to their ends. */
export class OpenResults {
  readonly #rows = new Map<number, Rows>();
  #last = 0;

  /** Writes the rows of a chunk, and the number under which the rest is kept. */
  write(writer: MarshalWriter, rows: Rows): void {
    const end = writer.length + CHUNK;
    const closeList = writer.openList();
    let count = 0;
    let next;
    try {
      for (next = rows.next(); !next.done; next = rows.next()) {
        writer.row(next.value);
        count++;
        if (writer.length > end) break;
      }
    } catch (error) {
      rows.return?.();
      throw error;
    }
    closeList(count);
    writer.value(next.done ? null : this.#keep(rows));
  }

  /** Writes the next chunk. */
  more(writer: MarshalWriter, number: number): void {
    const rows = this.#rows.get(number);
    this.#rows.delete(number);
    if (!rows) throw new Error("The rest of this result was given up.");
    writer.tuple(3);
    this.write(writer, rows);
    writer.value(writer.rounded);
  }

  /** Reads a result to its end, for nothing but the number of its rows. */
  count(number: number): number {
    const rows = this.#rows.get(number);
    this.#rows.delete(number);
    let count = 0;
    while (rows && !rows.next().done) count++;
    return count;
  }

  close(number: number): void {
    this.#rows.get(number)?.return?.();
    this.#rows.delete(number);
  }

  closeAll(): void {
    for (const number of this.#rows.keys()) this.close(number);
  }

  #keep(rows: Rows): number {
    this.#rows.set(++this.#last, rows);
    return this.#last;
  }
}

/** `rowsChanged` is -1 where the statement changes none. */
export function writeResult(
  writer: MarshalWriter,
  open: OpenResults,
  columns: readonly string[],
  rows: Rows,
  rowsChanged: number,
  lastRowId: number | null,
): void {
  writer.tuple(6);
  writer.value(columns);
  open.write(writer, rows);
  writer.value(rowsChanged);
  writer.value(lastRowId);
  writer.value(writer.rounded);
}

/** A statement as Python passes it. */
export type Statement = [sql: string, ...parameters: SqlValue[]];

/** Whether a statement changes rows. As Python's sqlite3 has it, one that begins with WITH does not say how many. */
export const changesRows = (sql: string): boolean => /^\s*(?:insert|update|delete|replace)\b/i.test(sql);

/** What a database says, without the class of the JavaScript error before it. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
