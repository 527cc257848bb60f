/** Standard output and error, and the levels of Python's `logging`, on the console. */
import type { Level } from "../../contract/levels.ts";

export interface Sink {
  write(level: Level, text: string): void;
}

export const consoleSink: Sink = {
  write(level, text) {
    console[level](text);
  },
};

/** Where output goes now: the console, or, while a management command runs, its caller. */
export const output: { sink: Sink } = { sink: consoleSink };
