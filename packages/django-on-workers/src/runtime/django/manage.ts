/** Management commands in a Worker: contract/commands.ts has what they are given and what they answer. */
import { MESSAGES, type Command, type Message } from "../../contract/commands.ts";
import { PROJECT_ROOT } from "../../contract/manifest.ts";
import { begin, finish, type Scope } from "../bindings/requests.ts";
import { writtenFiles } from "../python/filesystem.ts";
import type { PyProxy } from "../python/pyodide.ts";
import type { Application, PyModule, Running } from "./application.ts";

/** Runs a command, and answers while it runs. */
export function manage(application: Application, command: Command, scope: Scope): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const tell = (message: Message): void => {
    // The stream keeps the order; a command does not wait for its reader.
    writer.write(encoder.encode(`${JSON.stringify(message)}\n`)).catch(() => undefined);
  };
  scope.waitUntil(run(application, command, scope, tell).finally(() => writer.close().catch(() => undefined)));
  return new Response(readable, { headers: { "content-type": MESSAGES } });
}

async function run(application: Application, command: Command, scope: Scope, tell: (message: Message) => void): Promise<void> {
  const output: Scope["output"] = (name, text) => tell(name === "stdout" ? { stdout: text } : { stderr: text });
  const id = begin({ ...scope, output }, null, () => undefined);
  const since = Date.now();
  try {
    const { argv, variables, input = null } = command;
    const config = application.configuration({ argv, variables, input });
    const program = ({ interpreter }: Running): PyModule => interpreter.booted.python.pyimport("django_on_workers.runtime.manage") as PyModule;
    // One that starts the project is told what a start has to say.
    const running = await application.started(id, program, config);
    const { interpreter } = running;
    const exit = (await interpreter.enter(program(running)["run"] as PyProxy, id, config).finally(() => application.left(running, id))) as number;
    const { module } = interpreter.booted;
    // It may have mended what was in the way of a start.
    if (running.server["has_failed"]?.()) application.discard(running);
    for (const [path, contents] of writtenFiles(module.FS, PROJECT_ROOT, since)) {
      const file = path.slice(PROJECT_ROOT.length + 1);
      tell(command.files ? { file, base64: base64(contents) } : { left: file });
    }
    tell({ exit });
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause;
    tell({ stderr: `${String(error)}\n${cause ? `${String(cause)}\n` : ""}` });
    tell({ exit: 1 });
  } finally {
    await finish(id);
  }
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
