/** Linear memory: how an image comes into it, and that it stays as it is under load that never pauses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startLocal } from "../../packages/django-on-workers/dist/build/local.js";
import { buildBehaviour } from "../support/behaviour.ts";

/** Unpacks the first piece of the image, by way of what is under the platform's streams, and one that is damaged. */
const UNPACK = `import { createZstdDecompress, zstdDecompressSync } from "node:zlib";
import { DjangoObject } from "./runtime/django/object.js";
import { withUnpack } from "./runtime/python/image.js";
import { IMAGE, readContainer } from "./contract/bytes.js";

const written = [];
const watched = () => {
  const { _handle: handle, _writeState } = createZstdDecompress();
  const writeSync = (...args) => {
    handle.writeSync(...args);
    written.push([..._writeState]);
  };
  return { on() {}, _writeState, _handle: { writeSync, close: () => handle.close() } };
};

export class Django extends DjangoObject {}

export default {
  async fetch() {
    const { artefacts } = await import("./artefacts.js");
    const { header, body } = readContainer(IMAGE, artefacts.image);
    const [, length, packed] = header.chunks[0];
    const memory = new WebAssembly.Memory({ initial: Math.ceil(length / 65536) });
    const target = new Uint8Array(memory.buffer, 0, length);
    withUnpack((unpack) => unpack(body.subarray(0, packed), target), watched);
    const expected = zstdDecompressSync(body.subarray(0, packed));
    const equal = target.byteLength === expected.byteLength && target.every((byte, index) => byte === expected[index]);
    const damaged = body.slice(0, packed).fill(255, 10, 500);
    let refused;
    try {
      withUnpack((unpack) => unpack(damaged, target));
    } catch (error) {
      refused = error.message;
    }
    return Response.json({ equal, written, refused });
  },
};
`;

test("an image is unpacked to where it belongs, by what is under the platform's streams", async () => {
  const worker = await startLocal(await buildBehaviour("durable-object", "wsgi"), { entry: UNPACK });
  try {
    const found = await (await worker.dispatchFetch("http://local/")).json();
    // Nothing is left of the room; of the input, the empty frame at the end is.
    assert.deepEqual(found, { equal: true, written: [[0, 8]], refused: "The image of this build is damaged; build again." });
  } finally {
    await worker.dispose();
  }
});

/** Each request begins when the last one's response is there, which may be before Python has returned. */
const LOAD = `import "./prepare.js";
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
  const worker = await startLocal(await buildBehaviour("durable-object", "wsgi"), { entry: LOAD });
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
