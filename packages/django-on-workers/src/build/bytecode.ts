/** Python's bytecode, made by the target's own Python. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { UserError } from "../contract/errors.ts";
import { PACKAGES_ROOT, PROJECT_ROOT } from "../contract/manifest.ts";
import { packFiles, writeArchive, type Files, type Packed } from "./archive.ts";
import type { Builder } from "./builder.ts";
import { pythonFolder } from "./modules.ts";

const OUT = "/compiled";
const PACKAGES_LEVEL = 18;
/** Bytes of packages that are packed together: half a millisecond for who reads one of their files. */
const PACKAGES_BLOCK = 256 * 1024;
/** Packs files that are not the project's. */
export const packPackages = (files: Files): Map<string, Packed> => packFiles(files, PACKAGES_LEVEL, PACKAGES_BLOCK);

/** The files below a folder, by the path that they have below `mount`. */
export function filesUnder(folder: string, mount: string, keep: (path: string) => boolean): Files {
  const files: Files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const absolute = join(entry.parentPath, entry.name);
    const path = relative(folder, absolute).split(sep).join("/");
    if (keep(path)) files.set(`${mount}/${path}`, readFileSync(absolute));
  }
  return files;
}

/** Python takes bytecode because a file of the module's name is there. Django's reports of an error read it, too. */
export const NO_SOURCE = Buffer.from("# Only the bytecode of this module is part of the build.\n");

/** Where Python looks for a module's bytecode; `importlib.util.cache_from_source`. */
export const cachePath = (path: string): string => path.replace(/([^/]+)\.py$/, "__pycache__/$1.cpython-314.pyc");

/**
 * The bytecode of the sources under `root`, of which those that the builder's interpreter has anyway need not be given.
 * Those whose path begins with a match of a regular expression of Python's lose their docstrings.
 */
export async function compiled(builder: Builder, sources: Files, root: string, withoutDocstrings: string): Promise<Files> {
  const mounted = packFiles(new Map([...ownSources(), ...sources]), 1);
  const mounts = [...new Set([PACKAGES_ROOT, root])].filter((mount) => [...mounted.keys()].some((path) => path.startsWith(`${mount}/`)));
  const { result, files } = await builder.run<{ failed: [string, string][] }>(
    {
      archives: [writeArchive(mounts, mounted)],
      path: [PACKAGES_ROOT],
      module: "django_on_workers.build.compile",
      function: "compile_tree",
      // Packages come without the sources that tracebacks would show parts of.
      config: { root, out: OUT, without_docstrings: withoutDocstrings, own: root === PROJECT_ROOT },
    },
    [OUT],
  );
  if (root === PROJECT_ROOT && result.failed.length > 0) {
    const lines = result.failed.map(([path, message]) => `${path.slice(PROJECT_ROOT.length + 1)}: ${message}`);
    throw new UserError("DOW_PROJECT_FAILED", "The project has files that are not valid Python:", lines.join("\n"));
  }
  return new Map([...files].map(([path, contents]) => [root + path.slice(OUT.length), contents]));
}

/** The Python package that is shipped with this one. */
export function ownSources(): Files {
  return filesUnder(pythonFolder, `${PACKAGES_ROOT}/django_on_workers`, (path) => !/(?:^|\/)__pycache__\//.test(path));
}

