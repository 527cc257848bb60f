/** The files of a project. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const IGNORED_FOLDERS = new Set([".git", ".hg", ".svn", "node_modules", "__pycache__", ".django-on-workers", ".wrangler", ".idea", ".vscode", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".tox"]);
/** Never part of an artefact: secrets, local databases, and what belongs to the tools around a project. */
const IGNORED_FILES = [/^\.env(\..*)?$/, /^\.dev\.vars(\..*)?$/, /\.sqlite3?(-\w+)?$/, /\.pyc$/, /^\.DS_Store$/, /^package(-lock)?\.json$/, /^wrangler\.(toml|jsonc?)$/, /\.tgz$/];

/** Every file of the project that can matter to it, by its path below the root. */
export function* projectFiles(root: string, folder = ""): Generator<[path: string, absolute: string]> {
  const here = join(root, folder);
  for (const name of readdirSync(here).sort()) {
    const path = folder ? `${folder}/${name}` : name;
    const absolute = join(root, path);
    const found = statSync(absolute, { throwIfNoEntry: false });
    if (found?.isDirectory()) {
      if (!IGNORED_FOLDERS.has(name) && !existsSync(join(absolute, "pyvenv.cfg"))) yield* projectFiles(root, path);
    } else if (found?.isFile() && !IGNORED_FILES.some((pattern) => pattern.test(name))) {
      yield [path, absolute];
    }
  }
}
