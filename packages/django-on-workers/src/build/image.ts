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

/** Of a value that the inspection has not seen, see `build/shapes.py`. */
const TEXT = "{text}";

/** More than what importing a project draws. */
const RANDOM_BYTES = 32 * 1024;

const conditions = (): Conditions => ({ now: Date.now(), random: randomBytes(RANDOM_BYTES).toString("base64") });

/** See `prepare_image` in `build/image.py`. */
type Outcome = { suspicion: string } | { reason: string; application: boolean };

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
  const names = facts.environment.filter((name) => name in environment && name !== "DJANGO_SETTINGS_MODULE");
  const shapes = Object.fromEntries(names.map((name) => [name, facts.shapes[name] ?? TEXT]));
  // An image fits the boot that it was made with.
  const key = digest(...[...runtimeModules()].flat(), packages.key, source.key, project.settingsModule, project.database, JSON.stringify([shapes, facts.alternatives, facts.imported]), String(level), manifest ? unpack(manifest[1]) : "");
  const kept = await cache.bytes("image", key, async () => {
    progress.step("Importing the project and taking its image");
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
        alternatives: facts.alternatives,
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
      return isSame(captured, other, PLACEHOLDERS) ? captured : { ...captured, result: { reason: result.suspicion, application: false } };
    };
    let captured = await attempt(true);
    // A module that holds an application may well read the environment: it runs in every start.
    if ("reason" in captured.result && captured.result.application) captured = await attempt(false);
    const reason = "reason" in captured.result ? captured.result.reason : undefined;
    if (reason !== undefined) captured = await builder.capture<Outcome>(step(false, false), given);
    const image = packImage(captured.header, captured.memory, level);
    return writeContainer(IMAGE, { modules: captured.header.modules, reason } satisfies KeptImage, [image]);
  });
  const { header, body } = readContainer<KeptImage>(IMAGE, bufferOf(kept));
  if (header.reason !== undefined) progress.warn(`The project is imported when the Worker starts, which takes longer, because ${header.reason}.`);
  return { image: body, modules: header.modules };
}
