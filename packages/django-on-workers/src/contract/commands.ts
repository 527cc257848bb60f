/** A management command as it goes to a Worker, and what comes back while it runs: JSON, one message a line. */
export interface Command {
  argv: readonly string[];
  /** Variables of the caller, beside those of the Worker. */
  variables: Record<string, string>;
  /** What the command reads from standard input. */
  input?: string;
  /** Whether the caller wants the files that the command writes in the project's folder, or only their names. */
  files: boolean;
}

export type Message =
  | { stdout: string }
  | { stderr: string }
  /** A file of the project that the command wrote, by its path in it. */
  | { file: string; base64: string }
  /** The same where the caller does not want it. */
  | { left: string }
  /** The last one. */
  | { exit: number };

export const MESSAGES = "application/x-ndjson";
