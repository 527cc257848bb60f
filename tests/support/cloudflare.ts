/**
 * What `manage --remote` needs of Cloudflare, on this machine. Its API takes the Worker that Wrangler uploads and runs
 * between this machine and a deployed one; here that real Worker runs in workerd beside the emitted one, with the binding
 * that was uploaded with it. What is missing is Cloudflare's own: who may do that.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import type { Build } from "../../packages/django-on-workers/dist/build/index.js";
import { startLocal } from "../../packages/django-on-workers/dist/build/local.js";
import type { LogEntry } from "./worker.ts";

interface ServiceBinding {
  name: string;
  type: string;
  service: string;
  entrypoint: string;
}

/** A Worker that has been uploaded for a preview. */
export interface Upload {
  bindings: ServiceBinding[];
  script: string;
}

interface Api {
  /** What Wrangler's CLOUDFLARE_API_BASE_URL is to be. */
  url: string;
  uploads: Upload[];
  stop(): void;
}

/**
 * Cloudflare's API, as far as a remote binding asks it. `refuse` says what is wrong with an upload, in its words and with
 * its number: https://developers.cloudflare.com/workers/observability/errors/
 */
export async function startApi(refuse?: { code: number; message: string }): Promise<Api> {
  const uploads: Upload[] = [];
  const server = createServer(async (request, response) => {
    const pieces: Uint8Array[] = [];
    for await (const piece of request) pieces.push(piece as Uint8Array);
    let [status, result, errors] = [200, {} as object | null, [] as object[]];
    if (request.method === "POST" && request.url?.endsWith("/edge-preview")) {
      if (refuse) [status, result, errors] = [400, null, [refuse]];
      else {
        const form = await new Response(Buffer.concat(pieces), { headers: { "content-type": request.headers["content-type"] ?? "" } }).formData();
        const metadata = JSON.parse(form.get("metadata") as string) as { main_module: string; bindings: ServiceBinding[] };
        uploads.push({ bindings: metadata.bindings, script: await (form.get(metadata.main_module) as Blob).text() });
        result = { preview_token: "preview" };
      }
    } else if (request.url?.endsWith("/edge-preview")) result = { token: "session" };
    else if (request.url?.endsWith("/subdomain")) result = { subdomain: "tests" };
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ success: status === 200, errors, messages: [], result }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/client/v4`, uploads, stop: () => void server.close().closeAllConnections() };
}

export interface Deployed {
  url: string;
  logs: LogEntry[];
  /** Where Wrangler's session leads. */
  session: URL;
  stop(): Promise<void>;
}

/** A built project as if it were deployed, behind the Worker that was uploaded to reach it. */
export async function deployed(build: Build, { bindings, script }: Upload): Promise<Deployed> {
  const exported = /^export \{\s*(\w+) as default\s*\};$/m;
  const [, proxy] = exported.exec(script) ?? [];
  assert.ok(proxy, script.slice(-200));
  const entry = `${script.replace(exported, "")}
export * from "./index.js";
import site from "./index.js";

export default {
  fetch(request, env, ctx) {
    if (!request.headers.has("mf-binding")) return site.fetch(request, env, ctx);
    return ${proxy}.fetch(request, env, ctx);
  },
};
`;
  // One Worker takes both parts, and the binding leads from the one to the other.
  const services = bindings.map(({ name, service, entrypoint }) => ({ binding: name, service, entrypoint }));
  const config = join(dirname(build.config), "deployed.json");
  writeFileSync(config, JSON.stringify({ ...(JSON.parse(readFileSync(build.config, "utf8")) as object), services }));
  const logs: LogEntry[] = [];
  const worker = await startLocal({ ...build, config }, { entry, log: (level, message) => void logs.push({ level, message }) });
  const session = await worker.ready;
  return { url: session.origin, logs, session, stop: () => worker.dispose() };
}
