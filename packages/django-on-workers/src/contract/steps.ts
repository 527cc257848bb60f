/** What the build and its own Worker tell each other. */
export interface StepHeader {
  /** Lengths of the archives that follow, in bytes. */
  archives: number[];
  /** Put in front of `sys.path`. */
  path: string[];
  module: string;
  function: string;
  config: unknown;
  /** Answer with the memory of the interpreter. The function then gets two more arguments: what overwrites the memory that is free, and what tells as JSON the paths of files and folders that were made. */
  capture: boolean;
  /** Answer with the files under these folders. */
  collect: string[];
  /** What the step finds where it looks at the clock or for randomness, so that another one can find the same. */
  conditions?: Conditions;
}

export interface Conditions {
  /** The time, at which it stands still; milliseconds since 1970. */
  now: number;
  /** Random bytes in base64; when they are used up, others follow. */
  random: string;
}

export interface StepResult {
  /** What the Python function returned. */
  result: string;
  /** Path and size of each file; the contents follow in this order. */
  files: [path: string, length: number][];
}

/** Where a run of bytes lies in linear memory. */
export type Run = readonly [offset: number, length: number];

export interface CaptureHeader {
  /** Size of the linear memory, bytes. */
  memory: number;
  /** What was captured of it; the bytes follow in this order. */
  runs: Run[];
  references: unknown;
  /** Small wasm modules that a restore asks for, in hexadecimal. */
  modules: string[];
  result: string;
}
