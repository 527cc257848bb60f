/**
 * Management commands in a deployed Worker. It is reached through a remote binding to its entry for them, for which
 * Wrangler puts a Worker of its own beside it for as long as the command runs: Cloudflare lets nobody call that entry who
 * may not deploy to the account. https://developers.cloudflare.com/workers/local-development/#remote-bindings
 */
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare, type RemoteProxyConnectionString } from "miniflare";
import { UserError } from "../contract/errors.ts";
import { MANAGEMENT_ENTRYPOINT } from "../contract/manifest.ts";
import { runCommand, type CommandOptions } from "./commands.ts";
import { workerName, type Project } from "./project.ts";
import { quietly } from "./wrangler.ts";

const BINDING = "SITE";

/** Commands that work on the project's files, or would on a database for tests. */
const LOCAL = new Set(["collectstatic", "makemigrations", "optimizemigration", "squashmigrations", "startapp", "startproject", "test"]);

/**
 * Runs a management command inside the deployed Worker, against its database. Returns the command's exit code.
 *
 * @throws UserError where the Worker can't be reached: it is not deployed, or Wrangler is not logged in.
 */
export async function manageRemote(project: Project, argv: readonly string[], options: CommandOptions): Promise<number> {
  const [command = ""] = argv;
  if (LOCAL.has(command)) throw new UserError("DOW_USAGE", `${command} is for this machine: run it without --remote.`);
  const name = workerName(project);
  const account = project.wrangler["account_id"] as string | undefined;
  const binding = { type: "service", service: name, entrypoint: MANAGEMENT_ENTRYPOINT, remote: true } as const;
  const opened = await quietly(({ maybeStartOrUpdateRemoteProxySession }) =>
    maybeStartOrUpdateRemoteProxySession({ bindings: { [BINDING]: binding }, account_id: account }),
  ).catch((error: unknown) => {
    throw unreachable(name, error);
  });
  const session = opened?.session;
  if (!session) throw new Error("Wrangler opened no session.");
  try {
    return await manageThrough(session.remoteProxyConnectionString, name, argv, options);
  } finally {
    await session.dispose();
  }
}

/** The same, through a session that Wrangler has opened. */
export async function manageThrough(session: RemoteProxyConnectionString, name: string, argv: readonly string[], options: CommandOptions): Promise<number> {
  const worker = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: `export default { fetch: (request, env) => env.${BINDING}.fetch(request) };`,
      serviceBindings: { [BINDING]: { name, entrypoint: MANAGEMENT_ENTRYPOINT, remoteProxyConnectionString: session } },
      compatibilityDate: "2026-01-01",
      log: new Log(LogLevel.NONE),
      host: "127.0.0.1",
    } as never),
  );
  try {
    return await runCommand(worker, argv, options);
  } catch (error) {
    throw error instanceof UserError || options.signal?.aborted ? error : unreachable(name, error);
  }
}

const unreachable = (name: string, error: unknown): UserError =>
  new UserError(
    "DOW_REMOTE",
    `The deployed Worker ${name} can't be reached. It must be deployed, by this version of django-on-workers, and Wrangler logged in (wrangler login, or the variable CLOUDFLARE_API_TOKEN).`,
    error instanceof Error ? error.message : String(error),
  );
