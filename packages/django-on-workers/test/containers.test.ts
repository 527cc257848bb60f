/** Containers, archives and images: what is written is what is read, and what does not fit is refused. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { packFiles, readArchive, treeAndContents, unpack, writeArchive } from "../src/build/archive.ts";
import { memoryOf, packImage } from "../src/build/memory.ts";
import { ARCHIVE, IMAGE, readContainer, writeContainer } from "../src/contract/bytes.ts";
import { compress } from "../src/build/zstd.ts";
import { openImage, withUnpack } from "../src/runtime/python/image.ts";

const buffer = (bytes: Uint8Array): ArrayBuffer => bytes.slice().buffer as ArrayBuffer;

test("a container has its header and body", () => {
  const bytes = writeContainer(ARCHIVE, { name: "ü" }, [Uint8Array.of(1, 2), Uint8Array.of(3)]);
  const { header, body } = readContainer(ARCHIVE, buffer(bytes));
  assert.deepEqual(header, { name: "ü" });
  assert.deepEqual([...body], [1, 2, 3]);
});

test("another kind, another version and a torso are refused by name", () => {
  const bytes = writeContainer(ARCHIVE, {}, []);
  assert.throws(() => readContainer(IMAGE, buffer(bytes)), /The image of this build is damaged or of another kind; build again/);
  assert.throws(() => readContainer({ ...ARCHIVE, version: 9 }, buffer(bytes)), /format 3, this runtime reads 9; build again/);
  assert.throws(() => readContainer(ARCHIVE, new ArrayBuffer(3)), /damaged/);
});

test("an archive keeps every file, packed or not", () => {
  const files = new Map<string, Uint8Array>([
    ["/app/empty", new Uint8Array()],
    ["/app/deep/er/text.txt", Buffer.from("a line\n".repeat(1000))],
    ["/app/deep/random.bin", randomBytes(5000)],
    ["/packages/größe.py", Buffer.from("x = 1\n")],
  ]);
  for (const size of [0, 6000, 1_000_000]) {
    const archive = writeArchive(["/app", "/packages"], packFiles(files, 3, size));
    const read = readArchive(archive);
    assert.deepEqual([...read.keys()].sort(), [...files.keys()].sort());
    for (const [path, packed] of read) assert.deepEqual(Buffer.from(unpack(packed)), Buffer.from(files.get(path) as Uint8Array), path);
    assert.ok(archive.byteLength < 5500);
    const { tree, contents } = treeAndContents(archive);
    assert.deepEqual(Buffer.concat([tree, contents]), Buffer.from(archive));
    // Every block lies in the second half, and nothing else.
    assert.equal(contents.byteLength, [...new Set([...read.values()].map(({ block }) => block))].reduce((sum, { bytes }) => sum + bytes.byteLength, 0));
    // What is taken out of an archive takes its block with it, if nothing else lies there.
    read.delete("/app/deep/random.bin");
    if (size === 0) assert.ok(writeArchive(["/app", "/packages"], read).byteLength < 500);
  }
  assert.throws(() => writeArchive(["/app"], packFiles(new Map([["/etc/passwd", new Uint8Array()]]), 1)), /lies under none of \/app/);
});

test("an image restores the runs of memory that were captured", () => {
  const memory = 10 * 1024 * 1024;
  const runs: [number, number][] = [[4096 * 7, 4096 * 3], [3 * 1024 * 1024, 5 * 1024 * 1024], [memory - 4096, 4096]];
  const pieces = [randomBytes(4096 * 3), new Uint8Array(5 * 1024 * 1024).fill(7), randomBytes(4096)];
  const image = packImage({ memory, runs, references: { some: "references" } }, Buffer.concat(pieces), 3);
  assert.ok(image.byteLength < 20_000);
  const opened = openImage(buffer(image));
  assert.equal(opened.memory, memory);
  assert.equal(memoryOf(image), memory);
  assert.deepEqual(opened.references, { some: "references" });
  // What lies elsewhere is left as a boot has it.
  const restored = new Uint8Array(memory).fill(3);
  const expected = restored.slice();
  runs.forEach(([offset], index) => expected.set(pieces[index] as Uint8Array, offset));
  opened.restore(restored);
  assert.equal(Buffer.compare(restored, expected), 0);
});

test("pieces of an image are unpacked to where they belong, whatever the platform's streams are made of", () => {
  const contents = Buffer.concat([randomBytes(3000), Buffer.alloc(70_000, "text"), randomBytes(40)]);
  const packed = compress(contents, 3);
  const others = [() => ({ on() {} }), () => ({ _handle: {}, _writeState: new Uint32Array(2), on() {} })];
  const damaged = Uint8Array.from(packed);
  damaged.fill(255, 10, 500);
  for (const open of [undefined, ...others]) {
    withUnpack((unpack) => {
      for (let piece = 0; piece < 2; piece++) {
        const target = new Uint8Array(contents.byteLength + 10);
        unpack(packed, target.subarray(5, -5));
        assert.deepEqual(Buffer.from(target.subarray(5, -5)), contents);
        assert.deepEqual([...target.subarray(0, 5), ...target.subarray(-5)], Array(10).fill(0));
      }
    }, open);
    assert.throws(() => withUnpack((unpack) => unpack(packed, new Uint8Array(contents.byteLength + 1)), open), /damaged; build again/);
    assert.throws(() => withUnpack((unpack) => unpack(damaged, new Uint8Array(contents.byteLength)), open), /damaged|corrupt/i);
  }
});
