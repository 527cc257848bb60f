/** Sources to bytecode: once for the packages, file by file for the project. */
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { PACKAGES_ROOT, PROJECT_ROOT } from "../contract/manifest.ts";
import { packFiles, readArchive, writeArchive, type Files, type Packed } from "./archive.ts";
import type { Builder } from "./builder.ts";
import { cachePath, compiled, filesUnder, NO_SOURCE, ownSources, packPackages } from "./bytecode.ts";
import { digest, type Cache } from "./cache.ts";
import { compileCatalogue } from "./catalogues.ts";
import type { Progress } from "./progress.ts";
import { projectFiles, projectFolders } from "./files.ts";
import type { Project } from "./project.ts";
import type { Pyodide } from "./pyodide.ts";
import { uncompiled } from "./stdlib.ts";

const PROJECT_LEVEL = 9;

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

export interface Packages {
  key: string;
  /** Bytecode, data, and in the place of each source a line that says so. */
  archive: Uint8Array;
  /** The sources themselves, for tracebacks while a project is developed. */
  sources(): Promise<Uint8Array>;
}

/** The installed packages and ours. */
export async function compilePackages(folder: string, pyodide: Pyodide, cache: Cache, progress: Progress): Promise<Packages> {
  const own = ownSources();
  // Its name says what is in the folder, wherever the project lies.
  const key = digest(basename(folder), pyodide.buildId, ...[...own].flat());
  const installed = (): Files => new Map([...filesUnder(folder, PACKAGES_ROOT, (path) => !SUPERFLUOUS.some((pattern) => pattern.test(path))), ...own]);
  const sourcesOf = (files: Files): Files => new Map([...files].filter(([path]) => path.endsWith(".py")));
  const archive = await cache.bytes("bytecode", key, async () => {
    progress.step("Compiling the packages (once)");
    const files = installed();
    const sources = sourcesOf(files);
    const bytecode = await uncompiled(pyodide, cache, (builder) => compiled(builder, sources, PACKAGES_ROOT, WITHOUT_DOCSTRINGS));
    for (const path of sources.keys()) if (bytecode.has(cachePath(path))) files.set(path, NO_SOURCE);
    // What the build leaves out shares no block with what it keeps.
    const parts = Map.groupBy([...files, ...bytecode], ([path]) => BUILD_ONLY.test(path));
    const packed = [...parts.values()].map((part) => packPackages(new Map(part)));
    return writeArchive([PACKAGES_ROOT], new Map(packed.flatMap((part) => [...part])));
  });
  const sources = async (): Promise<Uint8Array> => writeArchive([PACKAGES_ROOT], packPackages(sourcesOf(installed())));
  return { key, archive, sources: async () => cache.bytes("sources", key, sources) };
}

export interface Source {
  /** Digest of all its files. */
  key: string;
  /** Digest of each file, by its path in the interpreter. */
  digests: Map<string, string>;
  packed: Map<string, Packed>;
  /** Its folders, with and without files. */
  folders: readonly string[];
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
  const folders = [...projectFolders(project.root)].map((path) => `${PROJECT_ROOT}/${path}`);
  const key = digest(builder.pyodide.buildId, ...digests.values(), ...folders);
  const cached = cache.read("project", key);
  if (cached) return { key, digests, archive: cached, packed: readArchive(cached), folders };

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
  const archive = writeArchive([PROJECT_ROOT], packed, folders);
  cache.write("project", key, archive);
  cache.write("kept", "project", Buffer.from(JSON.stringify({ key, digests: Object.fromEntries(digests) })));
  return { key, digests, packed, folders, archive };
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
