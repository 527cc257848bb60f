/** Makes the image: the memory of an interpreter that has imported the project. */
import { randomBytes } from "node:crypto";
import { IMAGE, readContainer, writeContainer } from "../contract/bytes.ts";
import { PACKAGES_ROOT, PROJECT_ROOT } from "../contract/manifest.ts";
import type { Conditions } from "../contract/steps.ts";
import type { Builder, Capture } from "./builder.ts";
import { digest, type Cache } from "./cache.ts";
import type { Packages, Source } from "./compile.ts";
import { runtimeModules } from "./modules.ts";
import type { Progress } from "./progress.ts";
import type { Project } from "./project.ts";
import { applicationOf, staticManifest } from "./emit.ts";
import type { Inspection } from "./statics.ts";
import { bufferOf, unpack, writeArchive } from "./archive.ts";
import { isSame, packImage } from "./memory.ts";
import { shapeOf } from "./shapes.ts";

export interface ImageResult {
  image: Uint8Array;
  /** Small wasm modules that a restore asks for, in hexadecimal. */
  modules: string[];
}

/** What is kept beside an image. */
interface KeptImage {
  modules: string[];
  /** Why the project is not in it. */
  reason: string | undefined;
}

/** What placeholders of both kinds are in one word, see `build/placeholders.py`. */
const PLACEHOLDERS = ["placeholder", "replacement"] as const;

/** More than what importing a project draws. */
const RANDOM_BYTES = 32 * 1024;

const conditions = (): Conditions => ({ now: Date.now(), random: randomBytes(RANDOM_BYTES).toString("base64") });

/** See `prepare_image` in `build/image.py`. */
type Outcome = { read: string[] } & ({ suspicion: string } | { reason: string; application: boolean });

/** A builder for a project's own steps: in it, the packages that every project uses have been imported. */
export const withPackages = (builder: Builder, packages: Packages): Builder =>
  builder.after(packages.key, {
    archives: [packages.archive],
    path: [PACKAGES_ROOT],
    module: "django_on_workers.build.image",
    function: "prepare_packages",
    config: {},
  });

export async function makeImage(
  project: Project,
  source: Source,
  packages: Packages,
  inspection: Inspection,
  environment: Record<string, string>,
  level: number,
  builder: Builder,
  cache: Cache,
  progress: Progress,
): Promise<ImageResult> {
  const { facts } = inspection;
  const manifest = staticManifest(inspection);
  /** Variables that there are and that the project reads: those that the inspection has seen, and those of modules that it does not import. */
  const names = new Set<string>();
  const add = (more: readonly string[]): boolean => {
    const before = names.size;
    for (const name of more) if (name in environment && name !== "DJANGO_SETTINGS_MODULE") names.add(name);
    return names.size > before;
  };
  /** The image where variables have these shapes. Nothing, if the project has read more of them. */
  const take = async (shapes: Record<string, string>): Promise<Uint8Array | undefined> => {
    const archive = manifest ? writeArchive([PROJECT_ROOT], new Map([...source.packed, manifest]), source.folders) : source.archive;
    const step = (withProject: boolean, withApplication: boolean, placeholders = 0) => ({
      archives: [packages.archive, archive],
      path: [PACKAGES_ROOT],
      module: "django_on_workers.build.image",
      function: "prepare_image",
      config: {
        settings_module: project.settingsModule,
        database: project.database,
        project_root: PROJECT_ROOT,
        placeholders,
        shapes,
        failure: facts.failure,
        alternatives: facts.alternatives,
        decided: facts.decided,
        imported: facts.imported,
        project: withProject,
        applications: (["wsgi", "asgi"] as const).map((kind) => applicationOf(project, facts, kind)),
        application: withApplication,
      },
    });
    const given = conditions();
    /** The project's image, or why there is none. */
    const attempt = async (withApplication: boolean): Promise<Capture<Outcome>> => {
      const captured = await builder.capture<Outcome>(step(true, withApplication), given);
      const { result } = captured;
      if ("reason" in result || result.suspicion === "") return captured;
      // Memory that differs where other placeholders stand in for the environment has something that was made of it.
      const other = await builder.capture<Outcome>(step(true, withApplication, 1), given);
      return isSame(captured, other, PLACEHOLDERS) ? captured : { ...captured, result: { ...result, reason: result.suspicion, application: false } };
    };
    let captured = await attempt(true);
    if (add(captured.result.read)) return undefined;
    // A module that holds an application may well read the environment: it runs in every start.
    if ("reason" in captured.result && captured.result.application) captured = await attempt(false);
    const reason = "reason" in captured.result ? captured.result.reason : undefined;
    if (reason !== undefined) captured = await builder.capture<Outcome>(step(false, false), given);
    const image = packImage(captured.header, captured.memory, level);
    return writeContainer(IMAGE, { modules: captured.header.modules, reason } satisfies KeptImage, [image]);
  };

  const readKey = digest(packages.key, project.settingsModule, project.database);
  add([...facts.environment, ...(JSON.parse(cache.read("read", readKey)?.toString("utf8") ?? "[]") as string[])]);
  const shape = (name: string, value = ""): string => (facts.known.includes(name) ? value : shapeOf(value));
  let kept: Uint8Array | undefined;
  for (let what = "the project"; !kept; what = "it again, with variables that its modules read,") {
    const shapes = Object.fromEntries([...names].toSorted().map((name) => [name, shape(name, environment[name])]));
    // An image fits the boot that it was made with.
    const key = digest(...[...runtimeModules()].flat(), packages.key, source.key, project.settingsModule, project.database, JSON.stringify([shapes, facts.failure, facts.alternatives, facts.decided, facts.imported]), String(level), manifest ? unpack(manifest[1]) : "");
    kept = cache.read("image", key);
    if (kept) break;
    progress.step(`Importing ${what} and taking its image`);
    kept = await take(shapes);
    if (kept) cache.write("image", key, kept);
    else cache.write("read", readKey, Buffer.from(JSON.stringify([...names])));
  }
  const { header, body } = readContainer<KeptImage>(IMAGE, bufferOf(kept));
  if (header.reason !== undefined) progress.warn(`The project is imported when the Worker starts, which takes longer, because ${header.reason}.`);
  return { image: body, modules: header.modules };
}
