/** Django in a Durable Object, next to its SQLite. */
import { DurableObject, env as globalEnvironment, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import type { Command } from "../../contract/commands.ts";
import { DURABLE_OBJECT_BINDING, SITE_OBJECT, TEST_OBJECT } from "../../contract/manifest.ts";
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

  /** Runs a management command. */
  async manage(command: Command): Promise<Response> {
    const { manage } = await import("./manage.ts");
    return manage(await this.application(), command, { ...this.scope, forTests: command.argv[0] === "test" });
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

/** Management commands. No request from outside can reach a named entry of a Worker. */
export class Management extends WorkerEntrypoint<Bindings> {
  override async fetch(request: Request): Promise<Response> {
    const command = await request.json<Command>();
    const namespace = this.env[DURABLE_OBJECT_BINDING];
    return namespace.get(namespace.idFromName(command.argv[0] === "test" ? TEST_OBJECT : SITE_OBJECT)).manage(command);
  }
}
