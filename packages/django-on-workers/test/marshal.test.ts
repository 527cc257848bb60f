/** The two writers and readers of Python's marshal format, this package's and CPython's, against each other. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { MarshalWriter, readMarshal, type Marshalled } from "../src/contract/marshal.ts";

/** Values that cross in both directions, with what Python calls them. */
const VALUES: [value: Marshalled, python: string][] = [
  [null, "None"],
  [true, "True"],
  [false, "False"],
  ...[0, 1, -1, 255, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, -(2 ** 31) - 1, 2 ** 52, 2 ** 53 - 1, -(2 ** 53) + 1].map((number): [Marshalled, string] => [number, String(number)]),
  ...[2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n, -(2n ** 63n), 2n ** 64n, 12345678901234567890123456789n].map((number): [Marshalled, string] => [number, String(number)]),
  [0.5, "0.5"],
  [-1.25e-300, "-1.25e-300"],
  [1.7976931348623157e308, "1.7976931348623157e308"],
  [Infinity, "float('inf')"],
  [-Infinity, "float('-inf')"],
  ["", "''"],
  ["plain", "'plain'"],
  ["nul \0 inside", "'nul \\0 inside'"],
  ["ü ß 漢字 🐍", "'ü ß 漢字 🐍'"],
  ["\ufeffmark first", "'\\ufeffmark first'"],
  ["x".repeat(100_000), "'x' * 100_000"],
  [new Uint8Array(0), "b''"],
  [Uint8Array.of(0, 1, 127, 128, 255), "bytes([0, 1, 127, 128, 255])"],
  [[], "()"],
  [[1, "two", [null, 3.5]], "(1, 'two', (None, 3.5))"],
];

function python(code: string, input: Uint8Array = new Uint8Array()): Buffer {
  const { status, stdout, stderr } = spawnSync("python3", ["-X", "utf8", "-c", `import marshal, sys\n${code}`], { input, maxBuffer: 2 ** 26 });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

test("what is written here is what Python means", () => {
  const writer = new MarshalWriter();
  writer.list(VALUES.length);
  for (const [value] of VALUES) writer.value(value);
  const bytes = writer.bytes.slice();
  const expected = `[${VALUES.map(([, text]) => text).join(", ")}]`;
  python(`
found, expected = marshal.loads(sys.stdin.buffer.read()), ${expected}
assert len(found) == len(expected)
for one, other in zip(found, expected):
    assert type(one) is type(other) and one == other, (one, other)`, bytes);
});

test("a row is the tuple of its values", () => {
  const values = [...VALUES.map(([value]) => value), -0, "é".repeat(200), "x".repeat(255), "x".repeat(256), "é".repeat(300), NaN];
  const writer = new MarshalWriter();
  writer.row(values);
  const row = writer.bytes.slice();
  writer.clear();
  writer.value(values);
  assert.deepEqual(row, writer.bytes);
  python(`
import math
found = marshal.loads(sys.stdin.buffer.read())
zero, *texts, nan = found[-6:]
assert type(zero) is float and math.copysign(1, zero) == -1
assert texts == ["é" * 200, "x" * 255, "x" * 256, "é" * 300]
assert math.isnan(nan)`, row);
});

test("what Python writes is read as it was meant", () => {
  const bytes = python(`sys.stdout.buffer.write(marshal.dumps([${VALUES.map(([, text]) => text).join(", ")}], 2))`);
  assert.deepEqual(readMarshal(new Uint8Array(bytes)), VALUES.map(([value]) => value));
});

test("the buffer grows under values of every kind", () => {
  for (const value of [7, 2 ** 40, 0.5, null, true, "text", Uint8Array.of(1)]) {
    const writer = new MarshalWriter();
    writer.list(5000);
    for (let i = 0; i < 5000; i++) writer.value(value);
    python("found = marshal.loads(sys.stdin.buffer.read())\nassert len(found) == 5000 and len(set(found)) == 1", writer.bytes);
  }
});

test("a list tells its length when it ends, and the writer whether it wrote what may be rounded", () => {
  const writer = new MarshalWriter();
  const close = writer.openList();
  for (const value of [1, 0.5, 2 ** 53 - 1, Infinity, -0]) writer.value(value);
  assert.equal(writer.rounded, false);
  writer.value(2 ** 53);
  assert.equal(writer.rounded, true);
  close(6);
  python("assert len(marshal.loads(sys.stdin.buffer.read())) == 6", writer.bytes);
});

test("a writer that begins anew has nothing of what it wrote", () => {
  const writer = new MarshalWriter();
  for (const value of ["x".repeat(2_000_000), 2 ** 60, "short"]) {
    writer.clear();
    assert.deepEqual([writer.length, writer.rounded], [0, false]);
    writer.value(value);
  }
  assert.deepEqual([...writer.bytes], [0x7a, 5, ...Buffer.from("short")]);
});

test("minus nought stays what it is, and not-a-number too", () => {
  const writer = new MarshalWriter();
  writer.value([-0, NaN]);
  python("import math\na, b = marshal.loads(sys.stdin.buffer.read())\nassert math.copysign(1, a) == -1 and math.isnan(b)", writer.bytes);
});

test("half a surrogate becomes the replacement character, as in any UTF-8", () => {
  const writer = new MarshalWriter();
  writer.value("a\ud800b");
  python("assert marshal.loads(sys.stdin.buffer.read()) == 'a\\ufffdb'", writer.bytes);
});

test("a kind that is not known is refused", () => {
  const bytes = python("sys.stdout.buffer.write(marshal.dumps({1: 2}, 2))");
  assert.throws(() => readMarshal(new Uint8Array(bytes)), /no way to read a value of kind "\{"/);
});
