/** The build as a library: a Django project in, a Worker out. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Builder, BuildWorker } from "./builder.ts";
import { Cache } from "./cache.ts";
import { compilePackages, compileProject } from "./compile.ts";
import { emit, type Output } from "./emit.ts";
import { makeImage, withPackages } from "./image.ts";
import { toolDigest } from "./modules.ts";
import { silent, type Progress } from "./progress.ts";
import { readProject, type Project, type ProjectOptions } from "./project.ts";
import { readPyodide, target } from "./pyodide.ts";
import { resolve } from "./resolve.ts";
import { environmentOf, inspect, type Facts } from "./statics.ts";
import { standardLibrary } from "./stdlib.ts";

export { UserError, type UserErrorCode } from "../contract/errors.ts";
export type { Database, Interface, Manifest } from "../contract/manifest.ts";
export { SIZE_LIMIT, type Output, type Sizes } from "./emit.ts";
export { projectFiles } from "./files.ts";
export { readProject, type Project, type ProjectOptions } from "./project.ts";
export type { Progress } from "./progress.ts";

export interface BuildOptions extends ProjectOptions {
  progress?: Progress;
  /** Variables that the settings read; the process's own by default. They end in no artefact. */
  environment?: Record<string, string | undefined>;
  /** What is built will be deployed: of variables that `.dev.vars` and the Wrangler configuration have, the latter's count. */
  deployed?: boolean;
  /** How hard the image is packed, 1 to 22. */
  level?: number;
  /** Emit the packages' sources too, so that tracebacks show their lines; as the last build did by default. */
  sources?: boolean;
}

export interface Build extends Output {
  project: Project;
  facts: Facts;
}

/** Harder takes a build longer, for an image that is smaller by a tenth at most and takes no less time to unpack. */
const LEVEL = 9;

/** Where a build of the project goes. */
export const outputFolder = (project: Project): string => join(project.root, ".django-on-workers");

/** What two steps give that go on side by side. Where one fails the other is not left running. */
async function both<A, B>(a: Promise<A>, b: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([a, b]);
  return Promise.all([a, b]);
}

/**
 * Builds a project into `.django-on-workers/`. Each step is kept by the hash of its inputs.
 *
 * @throws UserError for what is wrong with the project, its settings or its requirements.
 */
export async function build(options: BuildOptions = {}): Promise<Build> {
  const { progress = silent, level = LEVEL } = options;
  const project = readProject(options);
  const folder = outputFolder(project);
  mkdirSync(folder, { recursive: true });
  const cache = new Cache(join(folder, "cache"), toolDigest());
  const withSources = options.sources ?? cache.read("kept", "sources")?.toString() === "true";
  const [installed, pyodide] = await both(resolve(project, target(), cache, progress), readPyodide(cache));
  const [stdlib, packages] = await both(standardLibrary(pyodide, cache, progress), compilePackages(installed, pyodide, cache, progress));
  const worker = new BuildWorker(pyodide, stdlib.archive);
  const bare = new Builder(cache, worker);
  try {
    const builder = withPackages(bare, packages);
    const source = await compileProject(project, builder, cache, progress);
    const environment = environmentOf(project, options.environment ?? process.env, options.deployed);
    const inspection = await inspect(project, source, packages, environment, bare, cache, progress);
    const image = await makeImage(project, source, packages, inspection, environment, level, builder, cache, progress);
    const sources = withSources ? [await stdlib.sources(), await packages.sources()] : [];
    const output = emit(project, folder, pyodide, [stdlib.archive, packages.archive, ...sources], source, inspection, image);
    cache.write("kept", "sources", Buffer.from(String(withSources)));
    cache.prune();
    return { ...output, project, facts: inspection.facts };
  } finally {
    await worker.dispose();
  }
}
