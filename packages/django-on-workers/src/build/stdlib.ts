/** Python's standard library as a Worker mounts it: bytecode. Pyodide brings it as a zip archive of sources. */
import { unzipSync } from "fflate";
import { packFiles, writeArchive, type Files } from "./archive.ts";
import { Builder, BuildWorker } from "./builder.ts";
import { cachePath, compiled, NO_SOURCE, packPackages } from "./bytecode.ts";
import type { Cache } from "./cache.ts";
import type { Progress } from "./progress.ts";
import type { Pyodide } from "./pyodide.ts";

/** Everything but Pyodide's own: it makes docstrings of C's functions from those. */
const WITHOUT_DOCSTRINGS = "(?!_?pyodide/)";

export interface StandardLibrary {
  /** Bytecode, data, and in the place of each source a line that says so. */
  archive: Uint8Array;
  /** The sources themselves, for tracebacks while a project is developed. */
  sources(): Promise<Uint8Array>;
}

function filesOf({ stdlib, stdlibRoot }: Pyodide): Files {
  const files = Object.entries(unzipSync(stdlib)).filter(([path]) => !path.endsWith("/"));
  return new Map(files.map(([path, contents]) => [`${stdlibRoot}/${path}`, contents]));
}

/** Runs steps in an interpreter whose standard library is still sources, for what need not wait for its bytecode. */
export async function uncompiled<Result>(pyodide: Pyodide, cache: Cache, run: (builder: Builder) => Promise<Result>): Promise<Result> {
  const worker = new BuildWorker(pyodide, writeArchive([pyodide.stdlibRoot], packFiles(filesOf(pyodide), 1)));
  try {
    return await run(new Builder(cache, worker));
  } finally {
    await worker.dispose();
  }
}

/** Compiles what Pyodide would compile whenever a Worker imports something that is not in its image. */
export async function standardLibrary(pyodide: Pyodide, cache: Cache, progress: Progress): Promise<StandardLibrary> {
  const { stdlibRoot: root, buildId: key } = pyodide;
  const archive = async (): Promise<Uint8Array> => {
    progress.step("Compiling Python's standard library (once)");
    const files = filesOf(pyodide);
    const bytecode = await uncompiled(pyodide, cache, (builder) => compiled(builder, new Map(), root, WITHOUT_DOCSTRINGS));
    for (const path of files.keys()) if (bytecode.has(cachePath(path))) files.set(path, NO_SOURCE);
    return writeArchive([root], packPackages(new Map([...files, ...bytecode])));
  };
  const sources = async (): Promise<Uint8Array> => writeArchive([root], packPackages(new Map([...filesOf(pyodide)].filter(([path]) => path.endsWith(".py")))));
  return { archive: await cache.bytes("stdlib", key, archive), sources: () => cache.bytes("stdlib-sources", key, sources) };
}
