#!/usr/bin/env node
// The command. Wrangler and the image's compression need a newer Node than the oldest that is supported here; where
// this one is older, the one that comes as a dependency takes over.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = [22, 15];
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) {
  const { main } = await import("../dist/cli/main.js");
  await main(process.argv.slice(2));
} else {
  const folder = dirname(createRequire(import.meta.url).resolve("node/package.json"));
  const program = join(folder, "bin", process.platform === "win32" ? "node.exe" : "node");
  const orphan = new URL("../dist/cli/orphan.js", import.meta.url).href;
  const child = spawn(program, ["--import", orphan, fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: "inherit" });
  // The child gets the terminal's signals itself; this process lives as long as it does, and the child no longer.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("error", (error) => {
    console.error(`Node ${process.versions.node} is too old and the newer one could not be started: ${error.message}`);
    process.exitCode = 1;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
  });
}
