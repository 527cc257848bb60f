/** Installs a project's requirements, for the target and not for this machine. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../contract/errors.ts";
import type { Cache } from "./cache.ts";
import { digest } from "./cache.ts";
import { buildWheel, findInstaller, missingIn, type Installation, type Installer, type Missing } from "./installers.ts";
import type { Progress } from "./progress.ts";
import type { Project } from "./project.ts";
import type { Target } from "./pyodide.ts";

/** tzdata is always there: the platform has no time zone database of its own. */
const ALWAYS = ["tzdata"];

const NATIVE = /\.(?:so|pyd|dylib)$/;
const UNREACHABLE =
  /Failed to establish a new connection|Name or service not known|Temporary failure in name resolution|NewConnectionError|Max retries exceeded|Connection refused|Read timed out|ProxyError|dns error|error sending request|Could not connect|tunnel error|SSLError/i;

/** A folder with the installed packages. */
export async function resolve(project: Project, target: Target, cache: Cache, progress: Progress): Promise<string> {
  const lines = [...project.requirements.split("\n"), ...ALWAYS].join("\n");
  const key = digest(lines, JSON.stringify(target));
  return cache.directory("packages", key, async (folder) => {
    const installer = findInstaller();
    progress.step(`Installing the packages of ${project.requirementsFrom} with ${installer.name}`);
    const scratch = mkdtempSync(join(cache.folder, "install-"));
    try {
      const [file, built] = [join(scratch, "requirements.txt"), join(scratch, "built")];
      writeFileSync(file, `${lines}\n`);
      mkdirSync(built);
      // Relative paths in requirements mean the project's folder.
      await install(installer, { target, folder, file, root: project.root, built, scratch: join(scratch, "downloaded") }, project, progress);
      const native = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) => NATIVE.test(path));
      if (native !== undefined) {
        throw new UserError(
          "DOW_REQUIREMENT_HAS_NO_WHEEL",
          `${native} is native code, which can't be loaded yet. Use a release or an alternative of that package that is pure Python.`,
        );
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}

/** Installs wheels; what has none in pure Python is built from its source. */
async function install(installer: Installer, options: Installation, project: Project, progress: Progress): Promise<void> {
  const tried = new Set<string>();
  for (;;) {
    rmSync(options.scratch, { recursive: true, force: true });
    const { ok, output } = await installer.install(options);
    if (ok) return;
    const missing = UNREACHABLE.test(output) ? [] : missingIn(output);
    let [details, built] = [output, false];
    for (const wanted of missing.filter(({ name }) => !tried.has(name))) {
      tried.add(wanted.name);
      progress.step(`Building ${wanted.name} from its source, because it has no wheel in pure Python`);
      const outcome = await buildWheel(installer, wanted, options);
      if (outcome.ok) built = true;
      else details = outcome.output;
    }
    if (!built) throw explain(details, missing, project, options.target, installer);
  }
}

function explain(output: string, missing: readonly Missing[], project: Project, target: Target, installer: Installer): UserError {
  if (UNREACHABLE.test(output)) {
    return new UserError("DOW_INDEX_UNREACHABLE", `The package index can't be reached. Check the network, or ${installer.name}'s configuration of an index or proxy.`, tail(output));
  }
  if (missing.length > 0) {
    const names = missing.map(({ name }) => name).join(", ");
    return new UserError(
      "DOW_REQUIREMENT_HAS_NO_WHEEL",
      `${names} (from ${project.requirementsFrom}): there is no wheel that runs here, and the source gives none. It must be pure Python, and support Python ${target.python}. Replace it, or make it optional where it is imported.`,
      tail(output),
    );
  }
  return new UserError("DOW_INSTALL_FAILED", `${installer.name} could not install the packages of ${project.requirementsFrom}.`, tail(output));
}

const tail = (text: string): string => text.trim().split("\n").slice(-12).join("\n");
