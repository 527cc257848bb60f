/** Django in a Durable Object, next to its SQLite. */
import { DurableObject, env as globalEnvironment, RpcTarget } from "cloudflare:workers";
import { DURABLE_OBJECT_BINDING, SITE_OBJECT } from "../../contract/manifest.ts";
import { Application, environmentOf, type Artefacts } from "./application.ts";
import { serve } from "./bridge.ts";
import type { Client, Scope } from "../bindings/requests.ts";

/** Objects of one isolate share the interpreter; which storage a query goes to is a property of the request. */
let application: Application | undefined;

/** The Durable Object's class, but for where its artefacts come from. */
export abstract class DjangoObject extends DurableObject<object> {
  /**
   * Imports the artefacts. Only an isolate that holds an object does that: the Worker in front of it never pays for a
   * Python that it does not run.
   */
  protected abstract load(): Promise<Artefacts>;

  protected async application(): Promise<Application> {
    const artefacts = await this.load();
    application ??= new Application(artefacts, environmentOf(globalEnvironment));
    return application;
  }

  protected get scope(): Scope {
    return { env: this.env, storage: this.ctx.storage, waitUntil: (promise) => this.ctx.waitUntil(promise) };
  }

  /** Serves a request whose client is known. */
  async serve(request: Request, client: Client): Promise<Response> {
    return serve(await this.application(), request, { ...this.scope, client });
  }

  override async fetch(request: Request): Promise<Response> {
    return serve(await this.application(), request, this.scope);
  }
}

/**
 * The client, for the object to ask. It never answers: the platform cancels a Worker whose client goes away, and with it
 * this call. That reaches an object even inside a transaction, where other events wait.
 * https://developers.cloudflare.com/workers/runtime-apis/rpc/
 */
class WaitingClient extends RpcTarget implements Client {
  left(): Promise<never> {
    return new Promise(() => undefined);
  }
}

interface Bindings {
  [DURABLE_OBJECT_BINDING]: DurableObjectNamespace<DjangoObject>;
}

/** The Worker in front: hands every request to the site's object. */
export const forwarder: ExportedHandler<Bindings> = {
  fetch(request, env) {
    const namespace = env[DURABLE_OBJECT_BINDING];
    return namespace.get(namespace.idFromName(SITE_OBJECT)).serve(request, new WaitingClient());
  },
};
