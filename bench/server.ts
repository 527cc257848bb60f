/** A server as a process of its own, asked until it answers: how a start is measured, on whichever side. */
import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { devNull } from "node:os";
import { freePort } from "../tests/support/command.ts";

/** Milliseconds between two questions to a server that is not listening yet. */
const PAUSE = 2;

export interface Server {
  origin: string;
  /** From starting the process to having the whole of its first answer. */
  seconds: number;
  text: string;
  stop(): Promise<void>;
}

export interface Program {
  program: string;
  /** Its arguments, given a free port of loopback. */
  args: (port: number) => string[];
  cwd?: string;
  /** A file that it reads as its standard input. */
  stdin?: string;
}

async function asked(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url, { headers: { accept: "text/html" } });
  return { status: response.status, text: await response.text() };
}

/** Starts a program. Resolves when it answers `path` with 200. */
export async function startServer({ program, args, cwd, stdin }: Program, path: string): Promise<Server> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const started = performance.now();
  const input = openSync(stdin ?? devNull, "r");
  const child = spawn(program, args(port), { cwd, stdio: [input, "ignore", "inherit"] });
  closeSync(input);
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  const stop = async (): Promise<void> => {
    child.kill();
    await ended;
  };
  for (;;) {
    if (child.exitCode !== null || child.signalCode) throw new Error(`${program} ended with ${child.exitCode ?? child.signalCode}.`);
    const answer = await asked(`${origin}${path}`).catch(() => undefined);
    if (answer) {
      const seconds = (performance.now() - started) / 1000;
      if (answer.status === 200) return { origin, seconds, text: answer.text, stop };
      await stop();
      throw new Error(`${path} answered ${answer.status}: ${answer.text.slice(0, 500)}`);
    }
    await new Promise((done) => setTimeout(done, PAUSE));
  }
}
