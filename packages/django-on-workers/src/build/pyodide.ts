/** The parts of the installed `pyodide` package, as the runtime needs them. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PREPARED, readContainer, writeContainer } from "../contract/bytes.ts";
import { bufferOf } from "./archive.ts";
import type { Cache } from "./cache.ts";
import { compact } from "./compact.ts";
import { HOT_FUNCTIONS } from "./hot-functions.ts";
import { link, type Linked } from "./link.ts";
import { packImage } from "./memory.ts";
import { outline } from "./outline.ts";
import { FAILS, HOLDS, NEVER, unpacked } from "./record.ts";
import { split } from "./split.ts";
import { withoutData } from "./wasm.ts";

/** Pyodide's JavaScript and wasm as a build takes them and as it emits them. */
export interface Prepared extends Linked, WasmParts {
  /** What the parts find in their memory when they are instantiated, as an image: the hot one, which owns it, comes without. */
  data: Uint8Array;
}

export interface Pyodide extends Prepared {
  version: string;
  buildId: string;
  sentinel: Uint8Array;
  /** Python's standard library, a zip archive of sources. */
  stdlib: Uint8Array;
  /** Where Python looks for that archive; it takes a folder of this name as well. */
  stdlibRoot: string;
  /** Small modules that the glue compiles from constants, in hexadecimal. */
  fixedModules: string[];
}

/** The target that packages are installed for. */
export interface Target {
  python: string;
}

const folder = (): string => dirname(createRequire(import.meta.url).resolve("pyodide/package.json"));

export function pyodideVersion(): string {
  return (JSON.parse(readFileSync(join(folder(), "package.json"), "utf8")) as { version: string }).version;
}

function found(text: string, pattern: RegExp, what: string): string {
  const match = pattern.exec(text)?.[1];
  if (match === undefined) throw new Error(`The pyodide package no longer holds ${what} where it did (${pattern.source}).`);
  return match;
}

interface PreparedHeader {
  glue: string;
  lengths: number[];
}

/** How hard the data is packed: harder takes longer to unpack than it saves. */
const DATA_LEVEL = 9;

const functionAt = unpacked(HOT_FUNCTIONS.functions, 1);
const straightAt = unpacked(HOT_FUNCTIONS.straights, 2);

/** Whether a function is one that Workers run, by its place among those that Pyodide's wasm module defines. */
const isHot = (place: number): boolean => functionAt(place) !== NEVER;

/** What is emitted of Pyodide's wasm module. */
export interface WasmParts {
  /** What Workers run of the functions that they run. */
  hot: Uint8Array;
  /** The rest of those functions. */
  rare: Uint8Array;
  /** All other functions. */
  cold: Uint8Array;
}

/** Pyodide's wasm module in three parts. */
export function partsOf(wasm: Uint8Array): WasmParts {
  let position = 0;
  let functions = 0;
  const outlined = outline(wasm, (place, read) => {
    functions++;
    if (!isHot(place)) return undefined;
    const first = position;
    position += read().straights.length;
    return {
      hasRun: (straight) => straightAt(first + straight) !== NEVER,
      holds(straight) {
        const found = straightAt(first + straight);
        return found === HOLDS || found === FAILS ? found === HOLDS : undefined;
      },
    };
  });
  // Pieces come behind the functions, and what calls them stays with those.
  const { hot: whole, cold: rare } = split(outlined, (place) => place < functions, "rare");
  const { hot, cold } = split(whole, (place) => place >= functions || isHot(place), "cold");
  return { hot: compact(hot), rare: compact(rare), cold: compact(cold) };
}

/** Packs what a module puts into its memory. */
export function packData(pieces: readonly { offset: number; contents: Uint8Array }[]): Uint8Array {
  const start = Math.min(...pieces.map(({ offset }) => offset));
  const end = Math.max(...pieces.map(({ offset, contents }) => offset + contents.byteLength));
  const memory = new Uint8Array(end - start);
  for (const { offset, contents } of pieces) memory.set(contents, offset - start);
  return packImage({ memory: 0, references: null, runs: [[start, memory.byteLength]] }, memory, DATA_LEVEL);
}

/** What is made of Pyodide; kept, because it takes seconds. */
async function prepared(glue: string, wasm: () => Uint8Array, buildId: string, cache: Cache): Promise<Prepared> {
  if (HOT_FUNCTIONS.buildId !== buildId) throw new Error("The functions that Workers run are those of another Pyodide: record them with `npm run hot-functions`.");
  const kept = await cache.bytes("pyodide", buildId, async () => {
    const linked = link(glue, wasm());
    const { hot, rare, cold } = partsOf(linked.wasm);
    const { wasm: code, data } = withoutData(hot);
    const parts = [linked.wasm, code, rare, cold, packData(data)];
    const header: PreparedHeader = { glue: linked.glue, lengths: parts.map(({ byteLength }) => byteLength) };
    return writeContainer(PREPARED, header, parts);
  });
  const { header, body } = readContainer<PreparedHeader>(PREPARED, bufferOf(kept));
  let position = 0;
  const [whole, code, rare, cold, data] = header.lengths.map((length) => body.subarray(position, (position += length))) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return { glue: header.glue, wasm: whole, hot: code, rare, cold, data };
}

export const pyodideFile = (name: string): Buffer => readFileSync(join(folder(), name));
const loaderOf = (): string => pyodideFile("pyodide.mjs").toString("utf8");
export const pyodideBuildId = (loader = loaderOf()): string => found(loader, /BUILD_ID:"([0-9a-f]{64})"/, "its build id");

export async function readPyodide(cache: Cache): Promise<Pyodide> {
  const loader = loaderOf();
  const glue = pyodideFile("pyodide.asm.mjs").toString("utf8");
  const buildId = pyodideBuildId(loader);
  return {
    version: pyodideVersion(),
    buildId,
    ...(await prepared(glue, () => pyodideFile("pyodide.asm.wasm"), buildId, cache)),
    // The loader carries the module for JavaScript errors as base64; "AGFzb" is how wasm begins in it.
    sentinel: Buffer.from(found(loader, /"(AGFzb[A-Za-z0-9+/=]+)"/, "the module for JavaScript errors"), "base64"),
    stdlib: pyodideFile("python_stdlib.zip"),
    stdlibRoot: `/lib/python${target().python.replace(".", "")}.zip`,
    fixedModules: ["0061736d01000000", ...[...glue.matchAll(/"(0061736d[0-9a-f]+)"/g)].map((match) => match[1] as string)],
  };
}

export function target(): Target {
  const lock = JSON.parse(readFileSync(join(folder(), "pyodide-lock.json"), "utf8")) as {
    info: { python: string };
  };
  return { python: lock.info.python.split(".").slice(0, 2).join(".") };
}
