/** The files of a project. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const IGNORED_FOLDERS = new Set([".git", ".hg", ".svn", "node_modules", "__pycache__", ".django-on-workers", ".wrangler", ".idea", ".vscode", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".tox"]);
/** Never part of an artefact: secrets, local databases, and what belongs to the tools around a project. */
const IGNORED_FILES = [/^\.env(\..*)?$/, /^\.dev\.vars(\..*)?$/, /\.sqlite3?(-\w+)?$/, /\.pyc$/, /^\.DS_Store$/, /^package(-lock)?\.json$/, /^wrangler\.(toml|jsonc?)$/, /\.tgz$/];

interface Entry {
  /** Below the root. */
  path: string;
  absolute: string;
  isFolder: boolean;
}

function* entriesOf(root: string, folder = ""): Generator<Entry> {
  for (const name of readdirSync(join(root, folder)).sort()) {
    const path = folder ? `${folder}/${name}` : name;
    const absolute = join(root, path);
    const found = statSync(absolute, { throwIfNoEntry: false });
    if (found?.isDirectory()) {
      if (IGNORED_FOLDERS.has(name) || existsSync(join(absolute, "pyvenv.cfg"))) continue;
      yield { path, absolute, isFolder: true };
      yield* entriesOf(root, path);
    } else if (found?.isFile() && !IGNORED_FILES.some((pattern) => pattern.test(name))) {
      yield { path, absolute, isFolder: false };
    }
  }
}

/** Every file of the project that can matter to it, by its path below the root. */
export function* projectFiles(root: string): Generator<[path: string, absolute: string]> {
  for (const { path, absolute, isFolder } of entriesOf(root)) if (!isFolder) yield [path, absolute];
}

/** Every folder of the project, by its path below the root: there may be one for what the project will write. */
export function* projectFolders(root: string): Generator<string> {
  for (const { path, isFolder } of entriesOf(root)) if (isFolder) yield path;
}
