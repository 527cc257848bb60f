/** Linear memory under load that never pauses: garbage can be collected only when no stack is suspended. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startLocal } from "../../packages/django-on-workers/dist/build/local.js";
import { buildBehaviour } from "../support/behaviour.ts";

/** Each request begins when the last one's response is there, which may be before Python has returned. */
const ENTRY = `import "./prepare.js";
import { DjangoObject } from "./runtime/django/object.js";
import { serve } from "./runtime/django/bridge.js";

export class Django extends DjangoObject {
  async load() {
    return (await import("./artefacts.js")).artefacts;
  }

  async fetch(request) {
    const { count } = await request.json();
    const application = await this.application();
    for (let i = 0; i < count; i++) {
      const response = await serve(application, new Request("http://localhost/garbage/"), this.scope);
      if (response.status !== 200) return new Response(String(response.status), { status: 500 });
    }
    return Response.json((await application.running()).interpreter.memory);
  }
}

export default {
  fetch: (request, env) => env.DJANGO.get(env.DJANGO.idFromName("site")).fetch(request),
};
`;

test("linear memory does not grow under requests that leave no pause between them", async () => {
  const worker = await startLocal(await buildBehaviour("durable-object", "wsgi"), { entry: ENTRY });
  const memoryAfter = async (count: number): Promise<number> => {
    const response = await worker.dispatchFetch("http://local/", { method: "POST", body: JSON.stringify({ count }) });
    assert.equal(response.status, 200);
    return (await response.json()) as number;
  };
  try {
    const settled = await memoryAfter(500);
    const later = await memoryAfter(1500);
    // It grows in steps; 1,500 requests leave some 250 MiB of garbage.
    assert.ok(later - settled < 32 * 2 ** 20, `${settled} bytes after 500 requests, ${later} after 2,000`);
  } finally {
    await worker.dispose();
  }
});
