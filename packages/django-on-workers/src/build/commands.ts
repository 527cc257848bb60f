/** Management commands as somebody at a terminal has them, whichever Worker runs them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Miniflare } from "miniflare";
import { MESSAGES, type Command, type Message } from "../contract/commands.ts";
import { UserError } from "../contract/errors.ts";

export interface CommandOptions {
  stdout(text: string): void;
  stderr(text: string): void;
  /** What the command reads from standard input. */
  input?: string;
  /** Gives the command up: the call then fails. */
  signal?: AbortSignal;
}

/** Variables that Django's commands read, `createsuperuser` a password; the rest of the environment is this machine's. */
function variablesOf(environment: Record<string, string | undefined>): Record<string, string> {
  const found = Object.entries(environment).filter(([name]) => name.startsWith("DJANGO_SUPERUSER_"));
  return Object.fromEntries(found) as Record<string, string>;
}

/**
 * Has a Worker run a command, and ends the Worker. Files that the command writes in the project's folder are written
 * below `root`, if there is one. Returns the command's exit code.
 */
export async function runCommand(worker: Miniflare, argv: readonly string[], options: CommandOptions & { root?: string }): Promise<number> {
  const { input, root, signal } = options;
  let ended: Promise<void> | undefined;
  const end = (): Promise<void> => (ended ??= worker.dispose());
  const stop = (): void => void end().catch(() => undefined);
  signal?.addEventListener("abort", stop);
  try {
    const command: Command = { argv, variables: variablesOf(process.env), ...(input !== undefined && { input }), files: root !== undefined };
    const response = await worker.dispatchFetch("http://management/", { method: "POST", body: JSON.stringify(command) });
    if (!response.body || response.headers.get("content-type") !== MESSAGES) throw refused(response.status, await response.text());
    let exit: number | undefined;
    for await (const line of lines(untilReset(response.body as AsyncIterable<Uint8Array>, signal))) {
      const message = JSON.parse(line) as Message;
      if ("stdout" in message) options.stdout(message.stdout);
      else if ("stderr" in message) options.stderr(message.stderr);
      else if ("file" in message) save(root as string, message);
      else if ("left" in message) options.stderr(`${message.left} was written inside the Worker, where it does not last: let the command write to its standard output.\n`);
      else exit = message.exit;
    }
    if (exit === undefined) throw brokenOff();
    return exit;
  } finally {
    signal?.removeEventListener("abort", stop);
    await end();
  }
}

/** What the platform says of an object that it has reset, and with it what ran there. */
const RESET = /blockConcurrencyWhile\(\) in a Durable Object waited for too long/;

function refused(status: number, text: string): Error {
  if (RESET.test(text)) {
    return new UserError(
      "DOW_COMMAND_ENDED",
      "The command was ended, and its open transaction rolled back: a Durable Object gives a transaction 30 seconds. " +
        "Use smaller blocks of atomic(), atomic = False in a migration, or a TransactionTestCase.",
    );
  }
  return new Error(`The Worker answered with ${status}: ${text}`);
}

const brokenOff = (): UserError =>
  new UserError(
    "DOW_COMMAND_ENDED",
    "The runtime ended before the command did, and may have said why above; an open transaction is rolled back. In a Durable Object one is given 30 seconds.",
  );

function save(root: string, { file, base64 }: { file: string; base64: string }): void {
  const target = join(root, file);
  if (relative(root, target).startsWith("..") || /(?:^|\/)__pycache__\//.test(file)) return;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, Buffer.from(base64, "base64"));
}

/** The chunks of a response. That they end too early, without a word, is how an object shows that it has been reset meanwhile. */
async function* untilReset(chunks: AsyncIterable<Uint8Array>, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks;
  } catch (error) {
    throw signal?.aborted ? error : brokenOff();
  }
}

async function* lines(stream: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest) yield rest;
}
