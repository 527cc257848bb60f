/** The parts of the installed `pyodide` package, as the runtime needs them. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { link, type Linked } from "./link.ts";

export interface Pyodide extends Linked {
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
  platforms: string[];
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

export function readPyodide(): Pyodide {
  const read = (name: string): Buffer => readFileSync(join(folder(), name));
  const loader = read("pyodide.mjs").toString("utf8");
  const glue = read("pyodide.asm.mjs").toString("utf8");
  return {
    version: pyodideVersion(),
    buildId: found(loader, /BUILD_ID:"([0-9a-f]{64})"/, "its build id"),
    ...link(glue, read("pyodide.asm.wasm")),
    // The loader carries the module for JavaScript errors as base64; "AGFzb" is how wasm begins in it.
    sentinel: Buffer.from(found(loader, /"(AGFzb[A-Za-z0-9+/=]+)"/, "the module for JavaScript errors"), "base64"),
    stdlib: read("python_stdlib.zip"),
    stdlibRoot: `/lib/python${target().python.replace(".", "")}.zip`,
    fixedModules: ["0061736d01000000", ...[...glue.matchAll(/"(0061736d[0-9a-f]+)"/g)].map((match) => match[1] as string)],
  };
}

export function target(): Target {
  const lock = JSON.parse(readFileSync(join(folder(), "pyodide-lock.json"), "utf8")) as {
    info: { abi_version: string; platform: string; python: string };
  };
  const { abi_version: abi, platform, python } = lock.info;
  return {
    python: python.split(".").slice(0, 2).join("."),
    platforms: [`pyemscripten_${abi}_wasm32`, `pyodide_${abi}_wasm32`, `${platform}_wasm32`],
  };
}
