/** Programs, as a user starts them. */
import { spawn, type ChildProcess } from "node:child_process";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { cli } from "./project.ts";

export interface Result {
  status: number | null;
  stdout: string;
  stderr: string;
}

type Variables = Record<string, string | undefined>;

export function start(program: string, args: string[], cwd: string, env: Variables = {}): ChildProcess {
  return spawn(program, args, { cwd, env: { ...process.env, NO_COLOR: "1", ...env }, stdio: ["ignore", "pipe", "pipe"] });
}

export function run(program: string, args: string[], cwd: string, env: Variables = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = start(program, args, cwd, env);
    const result: Result = { status: null, stdout: "", stderr: "" };
    child.stdout?.on("data", (piece) => void (result.stdout += piece));
    child.stderr?.on("data", (piece) => void (result.stderr += piece));
    child.on("error", reject);
    child.on("close", (status) => resolve({ ...result, status }));
  });
}

/** Like {@link run}, for programs that must not fail. */
export async function ran(program: string, args: string[], cwd: string, env: Variables = {}): Promise<string> {
  const { status, stdout, stderr } = await run(program, args, cwd, env);
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${status}.\n${stdout}${stderr}`);
  return stdout;
}

/** This package's command, from the sources' own build. */
export const dow = (args: string[], cwd: string, env: Variables = {}): Promise<Result> => run(process.execPath, [cli, ...args], cwd, env);

/** PATH with the Node that runs the tests first: Wrangler wants it. */
export const withNewNode = (): string => `${dirname(process.execPath)}:${process.env["PATH"]}`;

/** Where systems take the ports of outgoing connections from begins above it: Linux at 32768. */
const PORTS = { from: 10_000, to: 32_000 };

/**
 * A port that nothing listens on. Not one that the system hands out, as port 0 gives: until the server has it, any
 * connection that leaves this machine might get it, even the one that asks whether the server is there.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(PORTS.from, PORTS.to);
    const server = createServer();
    const listens = await new Promise<boolean>((resolve) => server.once("error", () => resolve(false)).listen(port, "127.0.0.1", () => resolve(true)));
    if (!listens) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

export interface Server {
  url: string;
  output(): string;
  /** Sends the signal to the program alone and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  child: ChildProcess;
}

/** Starts a server and waits for its first answer; fails when it ends before. */
export async function serving(program: string, args: string[], cwd: string, port: number, env: Variables = {}): Promise<Server> {
  const child = start(program, args, cwd, env);
  let output = "";
  child.stdout?.on("data", (piece) => void (output += piece));
  child.stderr?.on("data", (piece) => void (output += piece));
  const ended = new Promise<number | null>((resolve) => child.on("close", (status) => resolve(status)));
  let over = false;
  void ended.then(() => (over = true));
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (over) throw new Error(`${program} ${args.join(" ")} ended before it answered.\n${output}`);
    try {
      await (await fetch(url, { redirect: "manual" })).arrayBuffer();
      break;
    } catch {
      await setTimeout(100);
    }
  }
  return {
    url,
    child,
    output: () => output,
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}

export const wrangler = (folder: string): string => join(folder, "node_modules", "wrangler", "bin", "wrangler.js");
