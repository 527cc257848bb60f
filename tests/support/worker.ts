/** A built project in workerd, reached over HTTP. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { Build } from "../../packages/django-on-workers/dist/build/index.js";
import { manage as run, startLocal } from "../../packages/django-on-workers/dist/build/local.js";

export interface LogEntry {
  level: string;
  message: string;
}

export interface Running {
  url: string;
  logs: LogEntry[];
  /** Sends a request as if it had come for this URL. */
  dispatch(url: string, headers?: Record<string, string>): Promise<{ status: number; json(): Promise<unknown> }>;
  stop(): Promise<void>;
}

/**
 * Whether a Worker has logged this, when so many messages match. They come by another way than its answers, and are waited
 * for: ten seconds at most.
 */
export async function logged({ logs }: Pick<Running, "logs">, message: RegExp, count = 1): Promise<boolean> {
  const isThere = (): boolean => logs.filter((entry) => message.test(entry.message)).length >= count;
  for (let tries = 0; tries < 1000 && !isThere(); tries++) await new Promise((done) => setTimeout(done, 10));
  return isThere();
}

/** Starts the Worker that the build emitted, with its own entry. */
export async function serve(build: Build): Promise<Running> {
  const logs: LogEntry[] = [];
  const worker = await startLocal(build, { log: (level, message) => void logs.push({ level, message }) });
  const url = (await worker.ready).origin;
  return { url, logs, dispatch: (to, headers = {}) => worker.dispatchFetch(to, { headers }), stop: () => worker.dispose() };
}

export interface Outcome {
  status: number;
  stdout: string;
  stderr: string;
}

/** A management command inside the runtime, against the data that {@link serve} serves. */
export async function manage(build: Build, ...argv: string[]): Promise<Outcome> {
  const outcome: Outcome = { status: -1, stdout: "", stderr: "" };
  outcome.status = await run(build, argv, {
    stdout: (text) => void (outcome.stdout += text),
    stderr: (text) => void (outcome.stderr += text),
  });
  return outcome;
}

/** Like {@link manage}, for commands that must not fail. */
export async function managed(build: Build, ...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await manage(build, ...argv);
  if (status !== 0) throw new Error(`manage ${argv.join(" ")} ended with ${status}.\n${stdout}${stderr}`);
  return stdout;
}

/** Forgets the local data of a project. */
export const forget = (build: Build): void => rmSync(join(build.project.root, ".wrangler", "state"), { recursive: true, force: true });
