/** Two interpreters at once: one that was replaced because it is worn still serves what it has begun. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startLocal } from "../../packages/django-on-workers/dist/build/local.js";
import { buildBehaviour } from "../support/behaviour.ts";
import { open, send } from "../support/http.ts";
import { managed } from "../support/worker.ts";

/** The emitted entry, in which `/wear/` wears the interpreter out that the next request finds. */
const WEAR = `import { Interpreter } from "./runtime/python/interpreter.js";

let wear = false;
const worn = new WeakSet();
Object.defineProperty(Interpreter.prototype, "worn", {
  get() {
    if (wear) worn.add(this);
    wear = false;
    return worn.has(this);
  },
});

const wearing = (handler) => ({
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== "/wear/") return handler.fetch(request, env, ctx);
    wear = true;
    return new Response();
  },
});
`;

const ENTRIES = {
  "durable-object": `import "./prepare.js";
import { DjangoObject, forwarder } from "./runtime/django/object.js";
${WEAR}
export class Django extends DjangoObject {
  async load() {
    return (await import("./artefacts.js")).artefacts;
  }
}

export default wearing(forwarder);
`,
  d1: `import "./prepare.js";
import { createWorker } from "./runtime/django/worker.js";
import { artefacts } from "./artefacts.js";
${WEAR}
export default wearing(await createWorker(artefacts));
`,
} as const;

for (const database of ["durable-object", "d1"] as const) {
  test(`a stream goes on in its own interpreter when another has taken its place, ${database}`, async () => {
    const build = await buildBehaviour(database, "wsgi");
    await managed(build, "migrate", "--verbosity", "0");
    const worker = await startLocal(build, { entry: ENTRIES[database] });
    const url = (await worker.ready).href;
    const identity = async (): Promise<string> => (await send(url, "/interpreter/")).text;
    const release = (number: number) => send(url, `/release/?key=released-stream-${number}`);
    try {
      const first = await identity();
      const stream = await open(url, "/results/stream/?id=stream");
      const pieces: AsyncIterator<Buffer> = stream[Symbol.asyncIterator]();
      const next = async (): Promise<string> => String((await pieces.next()).value);
      assert.equal(await next(), "stream-0: 0 of 1\n");

      await send(url, "/wear/");
      const second = await identity();
      assert.notEqual(second, first);
      const beside = await open(url, "/results/stream/?id=beside");
      assert.equal(String((await beside[Symbol.asyncIterator]().next()).value), "beside-0: 0 of 1\n");
      beside.destroy();

      await release(0);
      assert.equal(await next(), "stream-1: 1 of 2\n");
      await release(1);
      assert.equal(await next(), "stream-2: 2 of 3\n");
      await release(2);
      assert.equal((await pieces.next()).done, true);
      assert.equal(await identity(), second);
    } finally {
      await worker.dispose();
    }
  });
}
