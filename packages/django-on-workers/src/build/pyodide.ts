/** The parts of the installed `pyodide` package, as the runtime needs them. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { withExports, type Export } from "./wasm.ts";

export interface Pyodide {
  version: string;
  buildId: string;
  /** `pyodide.asm.mjs` and `pyodide.asm.wasm`, as {@link link} leaves them. */
  glue: string;
  wasm: Uint8Array;
  sentinel: Uint8Array;
  stdlib: Uint8Array;
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
    fixedModules: ["0061736d01000000", ...[...glue.matchAll(/"(0061736d[0-9a-f]+)"/g)].map((match) => match[1] as string)],
  };
}

/** What `boot` in runtime/python reads besides. */
const READ_BY_BOOT = ["_Py_Version"];

/** The glue is one function. Where it begins, the variables for what the wasm module exports and who sets them, its end. */
const SHAPE = /^async function (_createPyodideModule)(.*)var ([\w$,]+);function assignWasmExports\(wasmExports\)\{([^}]*)\}(.*)\}export default _createPyodideModule;\s*$/s;

const namesIn = (text: string): string[] => text.match(/[A-Za-z_$][\w$]*/g) ?? [];

/**
 * The glue and the module without the exports that nothing here reads. There are 8,500, nearly all for native extension
 * modules to link with: V8 makes an object of each, the glue a variable, and Emscripten enters it into its tables, whenever
 * an interpreter is booted. They decide positions in the table of functions: who makes an image and who restores it have
 * the same.
 *
 * The glue's function stands in parentheses: V8 then compiles it at once instead of looking over it first and again when
 * it is called.
 */
export function link(glue: string, wasm: Uint8Array): Pick<Pyodide, "glue" | "wasm"> {
  const match = SHAPE.exec(glue);
  if (!match) throw new Error(`The pyodide package no longer has its JavaScript in the shape that is known (${SHAPE.source}).`);
  const [, name, before = "", declared = "", assignments = "", after = ""] = match;
  const used = new Set([...namesIn(before), ...namesIn(after), ...READ_BY_BOOT]);
  // `_name=Module["_name"]=wasmExports["name"]`, some with one more variable in front.
  const kept = assignments.split(";").filter((assignment) => namesIn(assignment.slice(0, assignment.indexOf("Module["))).some((variable) => used.has(variable)));
  const assigned = new Set(namesIn(kept.join(";")));
  const variables = declared.split(",").filter((variable) => assigned.has(variable) || used.has(variable));
  const isUsed = ({ name, kind }: Export): boolean => kind === "other" || used.has(`_${name}`) || used.has(name) || name.startsWith("dynCall");
  return {
    glue: `export default (async function ${name}${before}var ${variables.join(",")};function assignWasmExports(wasmExports){${kept.join(";")}}${after}});\n`,
    wasm: withExports(wasm, isUsed),
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
