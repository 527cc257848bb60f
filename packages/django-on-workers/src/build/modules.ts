/** The built runtime, as data: what is copied into an artefact and into the build's own Worker. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join, relative, sep } from "node:path";
import { digest } from "./cache.ts";

const dist = fileURLToPath(new URL("../", import.meta.url));

/** JavaScript of the runtime by its path in the artefact. */
export const runtimeModules = (keep: (path: string) => boolean = () => true): Map<string, string> => modulesOf(["runtime", "contract"], keep);

/** Stands for the code that builds: what another version of it has kept is not used. */
export const toolDigest = (): string => digest(version, ...[...modulesOf(["build", "contract"], () => true)].flat());

function modulesOf(folders: string[], keep: (path: string) => boolean): Map<string, string> {
  const modules = new Map<string, string>();
  for (const folder of folders) {
    for (const entry of readdirSync(join(dist, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith(".js")) continue;
      const path = relative(dist, join(entry.parentPath, entry.name)).split(sep).join("/");
      if (keep(path)) modules.set(path, readFileSync(join(dist, path), "utf8"));
    }
  }
  return modules;
}

/** Where the Python package lies that is shipped inside this one. */
export const pythonFolder = fileURLToPath(new URL("../../python/django_on_workers", import.meta.url));

export const version = (JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { version: string }).version;
