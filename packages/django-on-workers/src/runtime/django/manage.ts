/**
 * Management commands on this machine: what the command line runs beside the emitted Worker. Never part of a deployment.
 *
 * A command arrives as JSON; the answer is a stream of JSON lines: `{"stdout"}`, `{"stderr"}`, `{"file", "base64"}` for
 * each file of the project that the command wrote, and at the end `{"exit"}`.
 */
import { PROJECT_ROOT, TEST_OBJECT } from "../../contract/manifest.ts";
import { begin, finish, type Scope } from "../bindings/requests.ts";
import { consoleSink, output } from "../python/console.ts";
import { writtenFiles } from "../python/filesystem.ts";
import type { PyProxy } from "../python/pyodide.ts";
import { env as globalEnvironment } from "cloudflare:workers";
import { Application, environmentOf, type Artefacts } from "./application.ts";
import { DjangoObject } from "./object.ts";

interface Command {
  argv: string[];
  /** Variables of the caller, beside those of the Worker. */
  environment: Record<string, string>;
}

/** Commands in a Worker: the database is D1. */
export function createManager(artefacts: Artefacts): ExportedHandler<object> {
  const application = new Application(artefacts, environmentOf(globalEnvironment));
  return {
    async fetch(request, env, ctx) {
      const command = await request.json<Command>();
      const forTests = command.argv[0] === "test";
      const scope = { env: forTests ? withTestDatabases(env) : env, forTests };
      return manage(application, command, { ...scope, waitUntil: (promise) => ctx.waitUntil(promise) });
    },
  };
}

/** Bindings with the D1 databases that exist for tests in the places of the site's own. */
function withTestDatabases(env: object): object {
  const bindings = env as Record<string, unknown>;
  const names = Object.keys(env).filter((name) => `test_${name}` in env);
  return { ...env, ...Object.fromEntries(names.map((name) => [name, bindings[`test_${name}`]])) };
}

/** Commands in a Durable Object, next to its storage. */
export abstract class ManagedObject extends DjangoObject {
  override async fetch(request: Request): Promise<Response> {
    const forTests = new URL(request.url).pathname === `/${TEST_OBJECT}`;
    return manage(await this.application(), await request.json(), { ...this.scope, forTests });
  }
}

function manage(application: Application, command: Command, scope: Scope): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const line = (message: object): void => {
    // The stream keeps the order; a command does not wait for its reader.
    writer.write(encoder.encode(`${JSON.stringify(message)}\n`)).catch(() => undefined);
  };
  scope.waitUntil(run(application, command, scope, line).finally(() => writer.close().catch(() => undefined)));
  return new Response(readable, { headers: { "content-type": "application/x-ndjson" } });
}

async function run(application: Application, command: Command, scope: Scope, line: (message: object) => void): Promise<void> {
  output.sink = {
    write(level, text) {
      line(level === "log" ? { stdout: text } : { stderr: level === "error" ? text : `${text}\n` });
    },
  };
  const id = begin(scope, null, () => undefined);
  try {
    const { interpreter } = await application.running();
    const { module, python } = interpreter.booted;
    const program = python.pyimport("django_on_workers.runtime.manage");
    const { manifest } = application;
    const environment = { ...application.environment, ...command.environment };
    const config = { argv: command.argv, environment, django: manifest.django, cwd: PROJECT_ROOT };
    const exit = await interpreter.enter(program["run"] as PyProxy, id, JSON.stringify(config));
    for (const [file, contents] of writtenFiles(module.FS, PROJECT_ROOT)) {
      line({ file: file.slice(PROJECT_ROOT.length + 1), base64: base64(contents) });
    }
    line({ exit });
  } catch (error) {
    const cause = (error as { cause?: unknown }).cause;
    line({ stderr: `${String(error)}\n${cause ? `${String(cause)}\n` : ""}` });
    line({ exit: 1 });
  } finally {
    output.sink = consoleSink;
    await finish(id);
  }
}

function base64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
