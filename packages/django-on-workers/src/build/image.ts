/** Makes the image: the memory of an interpreter that has imported the project. */
import { IMAGE, readContainer, writeContainer, type ImageChunk, type ImageHeader } from "../contract/bytes.ts";
import { PACKAGES_ROOT, PROJECT_ROOT } from "../contract/manifest.ts";
import type { Builder } from "./builder.ts";
import { digest, type Cache } from "./cache.ts";
import type { Packages, Source } from "./compile.ts";
import type { Progress } from "./progress.ts";
import type { Project } from "./project.ts";
import { applicationOf, staticManifest } from "./emit.ts";
import type { Inspection } from "./statics.ts";
import { writeArchive } from "./archive.ts";
import { compress } from "./zstd.ts";

const PAGE = 4096;
/** Unpacked size of a piece: what a restore holds besides the memory itself, and little enough for a processor's cache. */
const CHUNK = 1024 * 1024;

export interface ImageResult {
  image: Uint8Array;
  /** Small wasm modules that a restore asks for, in hexadecimal. */
  modules: string[];
}

/** A plain yes or no says nothing about a secret, and often decides what a project imports. */
const BOOLEAN = /^(?:0|1|true|false|yes|no|on|off|)$/i;

/** Runs of pages that are not all zero, in pieces. */
function* used(memory: Uint8Array): Generator<[offset: number, length: number]> {
  const words = new BigUint64Array(memory.buffer, memory.byteOffset, memory.byteLength >>> 3);
  const perPage = PAGE >>> 3;
  const isZero = (page: number): boolean => {
    for (let i = page * perPage; i < (page + 1) * perPage; i++) if (words[i] !== 0n) return false;
    return true;
  };
  let start = -1;
  const pages = memory.byteLength / PAGE;
  for (let page = 0; page <= pages; page++) {
    const wanted = page < pages && !isZero(page);
    const length = start < 0 ? 0 : (page - start) * PAGE;
    if (start >= 0 && (!wanted || length >= CHUNK)) {
      yield [start * PAGE, length];
      start = -1;
    }
    if (wanted && start < 0) start = page;
  }
}

export function packImage(memory: Uint8Array, references: unknown, level: number): Uint8Array {
  // Eight-byte steps need an aligned view.
  const aligned = memory.byteOffset % 8 === 0 ? memory : memory.slice();
  const chunks: ImageChunk[] = [];
  const body: Uint8Array[] = [];
  for (const [offset, length] of used(aligned)) {
    const packed = compress(aligned.subarray(offset, offset + length), level);
    chunks.push([offset, length, packed.byteLength]);
    body.push(packed);
  }
  const header: ImageHeader = { memory: memory.byteLength, references, chunks };
  return writeContainer(IMAGE, header, body);
}

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
  const booleans = Object.fromEntries(names.filter((name) => BOOLEAN.test(environment[name] ?? "x")).map((name) => [name, environment[name]]));
  const key = digest(packages.key, source.key, project.settingsModule, project.database, JSON.stringify(names), JSON.stringify(booleans), String(level), manifest?.[1].bytes ?? "");
  const kept = await cache.bytes("image", key, async () => {
    progress.step("Importing the project and taking its image");
    const archive = manifest ? writeArchive([PROJECT_ROOT], new Map([...source.packed, manifest])) : source.archive;
    const step = (withProject: boolean) => ({
      archives: [packages.archive, archive],
      path: [PACKAGES_ROOT],
      module: "django_on_workers.build.image",
      function: "prepare_image",
      config: {
        settings_module: project.settingsModule,
        database: project.database,
        project_root: PROJECT_ROOT,
        names,
        booleans,
        project: withProject,
        application: applicationOf(project, facts, "wsgi"),
      },
    });
    type Outcome = { ok: true } | { reason: string };
    let captured = await builder.capture<Outcome>(step(true));
    if ("reason" in captured.result) {
      progress.warn(`The project is imported when the Worker starts, which takes longer, because ${captured.result.reason}.`);
      captured = await builder.capture<Outcome>(step(false));
    }
    const image = packImage(captured.memory, captured.header.references, level);
    return writeContainer(IMAGE, { modules: captured.header.modules }, [image]);
  });
  const { header, body } = readContainer<{ modules: string[] }>(IMAGE, kept.buffer.slice(kept.byteOffset, kept.byteOffset + kept.byteLength) as ArrayBuffer);
  return { image: body, modules: header.modules };
}
