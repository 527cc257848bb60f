/** Runs Wrangler, the one that this package depends on. */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const program = (): string => join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin", "wrangler.js");

/** Resolves with Wrangler's exit code. `stop` asks it to end. */
export function startWrangler(args: string[], cwd: string): { done: Promise<number>; stop(signal: NodeJS.Signals): void } {
  // Wrangler passes Node's options on to the processes that it starts.
  const child = spawn(process.execPath, ["--import", new URL("orphan.js", import.meta.url).href, program(), ...args], {
    cwd,
    stdio: "inherit",
    // Without a network it would wait for, and complain about, what only Cloudflare can tell.
    env: { CLOUDFLARE_CF_FETCH_ENABLED: "false", WRANGLER_SEND_METRICS: "false", ...process.env },
  });
  const done = new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? (signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 1)));
  });
  return { done, stop: (signal) => void child.kill(signal) };
}
