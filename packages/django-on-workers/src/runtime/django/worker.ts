/** Django in the Worker itself: the database is D1. */
import { env as globalEnvironment } from "cloudflare:workers";
import { Application, environmentOf, type Artefacts } from "./application.ts";
import { serve } from "./bridge.ts";

/** The handler of the emitted Worker. Restores the interpreter while the global scope is evaluated. */
export async function createWorker(artefacts: Artefacts): Promise<ExportedHandler<object>> {
  const application = new Application(artefacts, environmentOf(globalEnvironment));
  await application.running();
  return {
    fetch: (request, env, ctx) => serve(application, request, { env, waitUntil: (promise) => ctx.waitUntil(promise) }),
  };
}
