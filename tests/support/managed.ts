/**
 * A management command in a process of its own, which a test can kill: `managed.ts BUILD STATE COMMAND…`, the build as
 * JSON, and the folder of the local data.
 */
import type { Build } from "../../packages/django-on-workers/dist/build/index.js";
import { manage } from "../../packages/django-on-workers/dist/build/local.js";

const [build = "", state = "", ...argv] = process.argv.slice(2);
process.exitCode = await manage(JSON.parse(build) as Build, argv, {
  state,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  // Unlike the answer, the console does not wait for the object's storage.
  log: (_, message) => void process.stdout.write(`${message}\n`),
});
