/** Django in the Worker itself: the database is D1. */
import { env as globalEnvironment, WorkerEntrypoint } from "cloudflare:workers";
import type { Command } from "../../contract/commands.ts";
import { Application, environmentOf, type Artefacts } from "./application.ts";
import { serve } from "./bridge.ts";

let application: Application;

/** The handler of the emitted Worker. Restores the interpreter while the global scope is evaluated. */
export async function createWorker(artefacts: Artefacts): Promise<ExportedHandler<object>> {
  application = new Application(artefacts, environmentOf(globalEnvironment));
  await application.running();
  return {
    fetch: (request, env, ctx) => serve(application, request, { env, waitUntil: (promise) => ctx.waitUntil(promise) }),
  };
}

/** Management commands. No request from outside can reach a named entry of a Worker. */
export class Management extends WorkerEntrypoint<object> {
  override async fetch(request: Request): Promise<Response> {
    const command = await request.json<Command>();
    const { manage } = await import("./manage.ts");
    const databases = command.argv[0] === "test" ? testDatabases(this.env) : {};
    const forTests = Object.keys(databases).length > 0;
    return manage(application, command, { env: { ...this.env, ...databases }, forTests, waitUntil: (promise) => this.ctx.waitUntil(promise) });
  }
}

/** D1 databases that exist for tests, by the bindings in whose places they are. There are none in a deployment. */
function testDatabases(env: object): object {
  const bindings = env as Record<string, unknown>;
  const names = Object.keys(env).filter((name) => `test_${name}` in env);
  return Object.fromEntries(names.map((name) => [name, bindings[`test_${name}`]]));
}
