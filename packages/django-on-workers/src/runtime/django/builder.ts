/**
 * The build's own Worker: runs Python for a step of the build, or captures its memory. Never part of a deployment.
 *
 * A step arrives as a container (see contract/bytes.ts): the header names it, the body is the archives that it mounts.
 */
import type { CaptureHeader, Conditions, Run, StepHeader, StepResult } from "../../contract/steps.ts";
import { CAPTURE, readContainer, STEP, STEP_RESULT, writeContainer } from "../../contract/bytes.ts";
import { boot, capture, evaluateForImage, type Booted, type Parts } from "../python/boot.ts";
import type { Image } from "../python/image.ts";
import { clearUnused } from "../python/heap.ts";
import { madePaths, writtenFiles } from "../python/filesystem.ts";
import type { PyProxy } from "../python/pyodide.ts";
import { hostModules } from "./application.ts";

/** A captured memory as it is: the steps of a build start from it. `found` gets what a boot had left in memory. */
function rawImage(buffer: ArrayBuffer, found: (before: Uint8Array) => void): Image {
  const { header, body } = readContainer<CaptureHeader>(CAPTURE, buffer);
  return {
    memory: header.memory,
    references: header.references,
    restore(memory) {
      found(memory.slice());
      let position = 0;
      for (const [offset, length] of header.runs) {
        memory.set(body.subarray(position, position + length), offset);
        position += length;
      }
    },
  };
}

const PAGE = 4096;

/** The memory of a new instance of the wasm module, in which nothing has run. */
function untouched(wasm: WebAssembly.Module): Uint8Array {
  const imports: Record<string, Record<string, unknown>> = {};
  for (const { module, name, kind } of WebAssembly.Module.imports(wasm)) {
    const value = kind === "global" ? new WebAssembly.Global({ value: "i32", mutable: true }, 0) : () => 0;
    (imports[module] ??= {})[name] = value;
  }
  const { memory } = new WebAssembly.Instance(wasm, imports as unknown as WebAssembly.Imports).exports;
  return new Uint8Array((memory as WebAssembly.Memory).buffer);
}

/**
 * Runs of pages that have changed since the instance was made, or that a boot changes. The others are zeros and the
 * wasm module's own data, which every new instance has.
 */
function changed(memory: Uint8Array, before: Uint8Array, wasm: WebAssembly.Module): Run[] {
  const [now, booted, fresh] = [memory, before, untouched(wasm)].map((bytes) => new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >>> 2)) as [Int32Array, Int32Array, Int32Array];
  const perPage = PAGE >>> 2;
  const hasChanged = (page: number): boolean => {
    for (let i = page * perPage; i < (page + 1) * perPage; i++) {
      const value = fresh[i] ?? 0;
      if (now[i] !== value || (booted[i] ?? 0) !== value) return true;
    }
    return false;
  };
  const runs: Run[] = [];
  const pages = memory.byteLength / PAGE;
  for (let page = 0; page < pages; page++) {
    if (!hasChanged(page)) continue;
    const start = page;
    while (page < pages && hasChanged(page)) page++;
    runs.push([start * PAGE, (page - start) * PAGE]);
  }
  return runs;
}

function captured(booted: Booted, result: string, runsOf: (memory: Uint8Array) => Run[]): Uint8Array {
  evaluateForImage(booted);
  const { memory, references, modules } = capture(booted);
  const runs = runsOf(memory);
  const header: CaptureHeader = { memory: memory.byteLength, runs, references, modules, result };
  return writeContainer(CAPTURE, header, runs.map(([offset, length]) => memory.subarray(offset, offset + length)));
}

async function bare(parts: Parts, stdlib: ArrayBuffer, hashSeed: number): Promise<Uint8Array> {
  const booted = await boot(parts, { archives: [{ tree: stdlib }], forImage: true, hashSeed, host: hostModules });
  booted.python.runPython("import gc; gc.disable(); gc.collect()");
  return captured(booted, "", (memory) => [[0, memory.byteLength]]);
}

/** Runs something under conditions that are given. */
async function under<Result>({ now, random }: Conditions, run: () => Promise<Result>): Promise<Result> {
  const bytes = Uint8Array.from(atob(random), (letter) => letter.charCodeAt(0));
  let position = 0;
  const real = { now: Date.now, elapsed: performance.now, random: crypto.getRandomValues };
  Date.now = () => now;
  performance.now = () => 0;
  crypto.getRandomValues = (view) => {
    const { byteLength, byteOffset, buffer } = view as ArrayBufferView;
    if (position + byteLength > bytes.byteLength) return real.random.call(crypto, view) as typeof view;
    new Uint8Array(buffer, byteOffset, byteLength).set(bytes.subarray(position, (position += byteLength)));
    return view;
  };
  try {
    return await run();
  } finally {
    Date.now = real.now;
    performance.now = real.elapsed;
    crypto.getRandomValues = real.random;
  }
}

async function step(parts: Parts, stdlib: ArrayBuffer, base: ArrayBuffer, body: ArrayBuffer): Promise<Uint8Array> {
  const { header, body: rest } = readContainer<StepHeader>(STEP, body);
  const run = () => runStep(parts, stdlib, base, header, rest, body);
  return header.conditions ? under(header.conditions, run) : run();
}

async function runStep(parts: Parts, stdlib: ArrayBuffer, base: ArrayBuffer, header: StepHeader, rest: Uint8Array, body: ArrayBuffer): Promise<Uint8Array> {
  const archives = [{ tree: stdlib }];
  let position = rest.byteOffset;
  for (const length of header.archives) {
    archives.push({ tree: body.slice(position, position + length) });
    position += length;
  }
  let before: Uint8Array = new Uint8Array();
  const image = rawImage(base, (found) => {
    if (header.capture) before = found;
  });
  const booted = await boot(parts, { image, archives, forImage: true, host: hostModules });
  booted.python.runPython(`import sys; sys.path[:0] = [p for p in ${JSON.stringify(header.path)} if p not in sys.path]; sys.path_importer_cache.clear()`);
  const program = booted.python.pyimport(header.module);
  const { module } = booted;
  // As text: an object would be one more that Python holds.
  const more = header.capture ? [() => clearUnused(module.HEAPU8, booted.exports), () => JSON.stringify([...madePaths(module.FS)])] : [];
  const result = (await (program[header.function] as PyProxy).callPromising(JSON.stringify(header.config), ...more)) as string;
  if (header.capture) return captured(booted, result, (memory) => changed(memory, before, parts.wasm));
  const files: [string, Uint8Array][] = [];
  for (const folder of header.collect) {
    if (booted.module.FS.analyzePath(folder).exists) files.push(...writtenFiles(booted.module.FS, folder));
  }
  const found: StepResult = { result, files: files.map(([path, contents]) => [path, contents.byteLength]) };
  return writeContainer(STEP_RESULT, found, files.map(([, contents]) => contents));
}

/** Bytes of a kind that is not compressed on the way, as Cloudflare, and so Miniflare, does with what has no type. */
const answer = (bytes: Uint8Array): Response => new Response(bytes, { headers: { "content-type": "application/octet-stream" } });

/**
 * Takes a memory to start from (`PUT /name`), and runs a step that starts from it (`POST /name`). `POST /?seed=` captures
 * what Python's own start leaves.
 */
export function createBuilder(parts: Parts, stdlib: ArrayBuffer): ExportedHandler {
  const bases = new Map<string, ArrayBuffer>();
  return {
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      const name = pathname.slice(1);
      try {
        const body = await request.arrayBuffer();
        if (name === "") return answer(await bare(parts, stdlib, Number(searchParams.get("seed"))));
        if (request.method === "PUT") {
          bases.set(name, body);
          return new Response(null, { status: 204 });
        }
        const base = bases.get(name);
        if (!base) throw new Error(`Nobody has sent the memory ${name}.`);
        return answer(await step(parts, stdlib, base, body));
      } catch (error) {
        return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 });
      }
    },
  };
}
