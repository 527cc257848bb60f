/** Pyodide's JavaScript and wasm without what nothing in a Worker can reach. */
import { transformSync } from "esbuild";
import { withExports, type Named } from "./wasm.ts";

/** Node's types leave WebAssembly to the DOM's. */
const { Module } = (globalThis as unknown as { WebAssembly: { Module: { new (bytes: Uint8Array): object; imports(module: object): { name: string }[] } } }).WebAssembly;

export interface Linked {
  /** `pyodide.asm.mjs`. */
  glue: string;
  /** `pyodide.asm.wasm`. */
  wasm: Uint8Array;
}

/** What the code in runtime/python reads of the module, besides what the glue reads. */
const READ_BY_BOOT = [
  ...["API", "ENV", "FS", "HEAPU8", "HEAPU32", "_Py_Version", "__Py_TrueStruct", "__Py_FalseStruct"],
  ...["_malloc", "_PyImport_AddModule", "_PyCFunction_NewEx", "_PyObject_SetAttrString"],
];

/**
 * The glue is one function that ends by returning the module. In the middle of it are the variables for what the wasm
 * module exports, and a function that sets them.
 */
const SHAPE = /^async function (\w+)\((\w+=\{\})\)\{(.*)var ([\w$,]+);function assignWasmExports\(wasmExports\)\{([^}]*)\}(.*);return moduleRtn\s*\}export default \1;\s*$/s;
/** What the wasm module imports, as `name:_function`, or `function` where both are the same. */
const IMPORTS = /var wasmImports=\{([^}]*)\}/;
/** The types that Emscripten needs where it puts a function into the wasm table. */
const SIGNATURE = /(?<![\w$.])([\w$]+)\.sig="\w*";?/g;
const PUBLISHED = /(?<=[;}])Module\["([\w$]+)"\]=[\w$]+;/g;
const READ = /(?<![\w$])Module(?:\.([\w$]+)|\["([\w$]+)"\])/g;
/** SDL's audio, after every turn of a main loop, which there is not. */
const MAIN_LOOP = /registerPostMainLoop\(\(\)=>SDL\.[^;]*\);/;
/** Emscripten's objects for what a Worker does not have: windows and sound, the browser's and Node's files. */
const ABSENT = ["SDL", "Browser", "GL", "JSEvents", "IDBFS", "NODEFS", "PROXYFS", "WORKERFS"];
/** A third of the JavaScript, which runs at once: in parentheses V8 does not look over it first, see {@link link}. */
const PYODIDE = /^function pyodide_js_init\(\) \{\n([^]*?)^\}$/m;
/** Objects that get hundreds of properties: without a prototype V8 keeps them as hash tables, and makes no shape for each property. */
const TABLES = ["Object.assign({},wasmExports)", "var relocated={}", "var GOT={}"];
const EVAL = /(?<![\w$.])eval\(/g;
const WEBGL = /^emscripten_gl/;
const NO_WEBGL = `function noWebGL(){throw new Error("There is no WebGL in a Worker.")}noWebGL.sig="v";`;

function matched(text: string, pattern: RegExp): RegExpExecArray {
  const match = pattern.exec(text);
  if (!match) throw new Error(`The pyodide package no longer has its JavaScript in the shape that is known (${pattern.source}).`);
  return match;
}

const namesIn = (text: string): string[] => text.match(/[A-Za-z_$][\w$]*/g) ?? [];

/**
 * Leaves out of both what only native extension modules and games would link with: 8,300 of the wasm module's 8,560
 * exports and two thirds of the JavaScript. For each export V8 makes an object, the glue a variable, and Emscripten entries
 * in its tables, whenever an interpreter is booted; and JavaScript is read over before it runs, used or not.
 *
 * What is left out decides positions in the table of functions: who makes an image and who restores it have the same.
 *
 * The glue's function stands in parentheses: V8 then compiles it at once instead of looking over it first and again when
 * it is called.
 */
export function link(glue: string, wasm: Uint8Array): Linked {
  const [, name, parameter, before, declared = "", assignments = "", after] = matched(glue, SHAPE);
  const imported = Module.imports(new Module(wasm)).map((found) => found.name);
  const body = shaken(withImports(`${before}${after}`, new Set(imported)));
  const used = new Set([...namesIn(body), ...READ_BY_BOOT]);
  // `_name=Module["_name"]=wasmExports["name"]`, some with one more variable in front.
  const kept = assignments.split(";").filter((assignment) => namesIn(assignment.slice(0, assignment.indexOf("Module["))).some((variable) => used.has(variable)));
  const assigned = new Set(namesIn(kept.join(";")));
  const variables = declared.split(",").filter((variable) => assigned.has(variable) || used.has(variable));
  const isUsed = ({ name, kind }: Named): boolean => (kind !== "function" && kind !== "global") || used.has(`_${name}`) || used.has(name) || name.startsWith("dynCall");
  return {
    glue: `export default (async function ${name}(${parameter}){var ${variables.join(",")};function assignWasmExports(wasmExports){${kept.join(";")}}${body};return moduleRtn});\n`,
    wasm: withExports(wasm, isUsed),
  };
}

/** The glue's body with the imports that the wasm module has, and without what would keep the others. */
function withImports(body: string, wanted: ReadonlySet<string>): string {
  const [, entries = ""] = matched(body, IMPORTS);
  const functions = new Map(
    entries.split(",").map((entry) => {
      const [key = "", value = key] = entry.split(":");
      return [key, value];
    }),
  );
  const kept = [...functions].filter(([key]) => wanted.has(key)).map(([key, value]) => [key, WEBGL.test(key) ? "noWebGL" : value] as const);
  const needed = new Set(kept.map(([, value]) => value));
  matched(body, MAIN_LOOP);
  const linked = body
    .replace(IMPORTS, () => `${NO_WEBGL}var wasmImports={${kept.map(([key, value]) => `${key}:${value}`).join(",")}}`)
    .replace(SIGNATURE, (statement, function_: string) => (needed.has(function_) ? statement : ""))
    .replace(MAIN_LOOP, "");
  const read = new Set([...linked.replace(PUBLISHED, "").matchAll(READ)].map(([, dotted, quoted]) => dotted ?? quoted));
  return linked.replace(PUBLISHED, (statement, property: string) => (read.has(property) || READ_BY_BOOT.includes(property) ? statement : ""));
}

/** The body without functions and variables that nothing refers to. */
function shaken(body: string): string {
  let original = body;
  for (const table of TABLES) original = original.replace(matched(original, new RegExp(table.replace(/[(){}.]/g, "\\$&")))[0], () => table.replace("{}", "Object.create(null)"));
  const transformed = (code: string, minifyWhitespace: boolean): string =>
    transformSync(code, { format: "esm", target: "esnext", treeShaking: true, minifyWhitespace, legalComments: "none", logLevel: "silent" }).code;
  // A direct eval could refer to anything. Those here are for C code in native modules that brings JavaScript as text.
  let readable = transformed(`${original.replace(EVAL, "(0,eval)(")};export{moduleRtn}`, false);
  // In this form what begins in the first column ends there.
  for (const name of ABSENT) readable = readable.replace(matched(readable, new RegExp(`^var ${name} = \\{[^]*?^[}\\]].*\\};$`, "m"))[0], () => `var ${name} = {};`);
  const [whole, initialise] = matched(readable, PYODIDE);
  readable = readable.replace(whole, () => `var pyodide_js_init = (function() {\n${initialise}});`);
  const code = transformed(readable, true);
  return code.slice(0, matched(code, /export\{moduleRtn\};\s*$/).index);
}
