/** Sources to bytecode: once for the packages, file by file for the project. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, sep } from "node:path";
import { UserError } from "../contract/errors.ts";
import { PACKAGES_ROOT, PROJECT_ROOT } from "../contract/manifest.ts";
import { packFiles, readArchive, writeArchive, type Files, type Packed } from "./archive.ts";
import type { Builder } from "./builder.ts";
import { digest, type Cache } from "./cache.ts";
import { compileCatalogue } from "./catalogues.ts";
import { pythonFolder } from "./modules.ts";
import type { Progress } from "./progress.ts";
import { projectFiles, type Project } from "./project.ts";

const OUT = "/compiled";
const PACKAGES_LEVEL = 19;
/** Bytes of packages that are packed together: half a millisecond for who reads one of their files. */
const PACKAGES_BLOCK = 256 * 1024;
/** Packs files that are not the project's. */
export const packPackages = (files: Files): Map<string, Packed> => packFiles(files, PACKAGES_LEVEL, PACKAGES_BLOCK);
const PROJECT_LEVEL = 9;

function filesUnder(folder: string, mount: string, keep: (path: string) => boolean): Files {
  const files: Files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const absolute = join(entry.parentPath, entry.name);
    const path = relative(folder, absolute).split(sep).join("/");
    if (keep(path)) files.set(`${mount}/${path}`, readFileSync(absolute));
  }
  return files;
}

/**
 * Packages whose docstrings nothing reads at run time. Others may: some make a parser or a help text of them. So do
 * Django's admindocs, of what tags and filters, models and views say of themselves.
 */
const DESCRIBED = ["templatetags/", "views/", "views\\.py", "models\\.py", "base_user\\.py", "template/(?:default\\w+|loader_tags)\\.py", "admin/(?:options|sites)\\.py"];
const WITHOUT_DOCSTRINGS = `(?:asgiref|sqlparse|django_on_workers|django(?!/(?:.+/)?(?:${DESCRIBED.join("|")})))/`;
/** Matches no path. */
const NONE = "(?!)";
/** What a package brings and no program reads. */
const SUPERFLUOUS = [/\.po$/, /\.pyi$/, /\.pyc$/, /^bin\//, /\.dist-info\/(?:RECORD|INSTALLER|REQUESTED|WHEEL|licenses\/|LICENSE|AUTHORS)/];
/** Packages' files that only the build needs: our own build steps, and static files that become assets. */
export const BUILD_ONLY = new RegExp(`^${PACKAGES_ROOT}/(?:django_on_workers/build/|[^/]+/(?:.+/)?static/)`);
/** Python takes bytecode because a file of the module's name is there. Django's reports of an error read it, too. */
export const NO_SOURCE = Buffer.from("# Only the bytecode of this module is part of the build.\n");
const NATIVE = /\.(?:so|pyd|dylib)$/;

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
      // Packages come without the sources that columns are for.
      config: { root, out: OUT, without_docstrings: withoutDocstrings, columns: root === PROJECT_ROOT },
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
function ownSources(): Files {
  return filesUnder(pythonFolder, `${PACKAGES_ROOT}/django_on_workers`, (path) => !/(?:^|\/)__pycache__\//.test(path));
}

export interface Packages {
  key: string;
  /** Bytecode, data, and in the place of each source a line that says so. */
  archive: Uint8Array;
  /** The sources themselves, for tracebacks while a project is developed. */
  sources(): Promise<Uint8Array>;
}

/** The installed packages and ours. */
export async function compilePackages(folder: string, builder: Builder, cache: Cache, progress: Progress): Promise<Packages> {
  const own = ownSources();
  // Its name says what is in the folder, wherever the project lies.
  const key = digest(basename(folder), builder.pyodide.buildId, ...[...own].flat());
  const installed = (): Files => new Map([...filesUnder(folder, PACKAGES_ROOT, (path) => !SUPERFLUOUS.some((pattern) => pattern.test(path))), ...own]);
  const sourcesOf = (files: Files): Files => new Map([...files].filter(([path]) => path.endsWith(".py")));
  const archive = await cache.bytes("bytecode", key, async () => {
    progress.step("Compiling the packages (once)");
    const files = installed();
    const native = [...files.keys()].find((path) => NATIVE.test(path));
    if (native !== undefined) {
      throw new UserError(
        "DOW_REQUIREMENT_HAS_NO_WHEEL",
        `${native.slice(PACKAGES_ROOT.length + 1)} is native code, which can't be loaded yet. Use a release or an alternative of that package that is pure Python.`,
      );
    }
    const sources = sourcesOf(files);
    const bytecode = await compiled(builder, sources, PACKAGES_ROOT, WITHOUT_DOCSTRINGS);
    for (const path of sources.keys()) if (bytecode.has(cachePath(path))) files.set(path, NO_SOURCE);
    // What the build leaves out shares no block with what it keeps.
    const parts = Map.groupBy([...files, ...bytecode], ([path]) => BUILD_ONLY.test(path));
    const packed = [...parts.values()].map((part) => packPackages(new Map(part)));
    return writeArchive([PACKAGES_ROOT], new Map(packed.flatMap((part) => [...part])));
  });
  const sources = async (): Promise<Uint8Array> => writeArchive([PACKAGES_ROOT], packPackages(sourcesOf(installed())));
  return { key, archive, sources: async () => cache.bytes("sources", key, sources) };
}

/** Where Python looks for a module's bytecode; `importlib.util.cache_from_source`. */
export const cachePath = (path: string): string => path.replace(/([^/]+)\.py$/, "__pycache__/$1.cpython-314.pyc");

export interface Source {
  /** Digest of all its files. */
  key: string;
  /** Digest of each file, by its path in the interpreter. */
  digests: Map<string, string>;
  packed: Map<string, Packed>;
  archive: Uint8Array;
}

/** The project's own files: sources, bytecode, catalogues, everything else. */
export async function compileProject(project: Project, builder: Builder, cache: Cache, progress: Progress): Promise<Source> {
  const files: Files = new Map();
  for (const [path, absolute] of projectFiles(project.root)) {
    if (path.endsWith(".po")) {
      const catalogue = compileCatalogue(path, absolute);
      if (catalogue) files.set(`${PROJECT_ROOT}/${path.replace(/\.po$/, ".mo")}`, catalogue);
    } else if (!files.has(`${PROJECT_ROOT}/${path}`)) files.set(`${PROJECT_ROOT}/${path}`, readFileSync(absolute));
  }
  const digests = new Map([...files].map(([path, contents]) => [path, digest(path, contents)]));
  const key = digest(builder.pyodide.buildId, ...digests.values());
  const cached = cache.read("project", key);
  if (cached) return { key, digests, archive: cached, packed: readArchive(cached) };

  // What the last build compiled and what has not changed since is taken from there.
  const kept = readKept(cache);
  const bytecode = new Map<string, Packed>();
  const changed: Files = new Map();
  for (const [path, contents] of files) {
    if (!path.endsWith(".py")) continue;
    const earlier = kept.digests[path] === digests.get(path) ? kept.packed.get(cachePath(path)) : undefined;
    if (earlier) bytecode.set(cachePath(path), earlier);
    else changed.set(path, contents);
  }
  if (changed.size > 0) {
    progress.step(`Compiling ${changed.size === 1 ? "one file" : `${changed.size} files`} of the project`);
    const fresh = await compiled(builder, changed, PROJECT_ROOT, NONE);
    for (const [path, packed] of packFiles(fresh, PROJECT_LEVEL)) bytecode.set(path, packed);
  }
  const packed = new Map([...packFiles(files, PROJECT_LEVEL), ...bytecode]);
  const archive = writeArchive([PROJECT_ROOT], packed);
  cache.write("project", key, archive);
  cache.write("kept", "project", Buffer.from(JSON.stringify({ key, digests: Object.fromEntries(digests) })));
  return { key, digests, packed, archive };
}

interface Kept {
  digests: Record<string, string>;
  packed: Map<string, Packed>;
}

function readKept(cache: Cache): Kept {
  const index = cache.read("kept", "project");
  if (!index) return { digests: {}, packed: new Map() };
  const { key, digests } = JSON.parse(index.toString("utf8")) as { key: string; digests: Record<string, string> };
  if (!existsSync(cache.path("project", key))) return { digests: {}, packed: new Map() };
  return { digests, packed: readArchive(cache.read("project", key) as Buffer) };
}
