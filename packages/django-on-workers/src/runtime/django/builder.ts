/**
 * The build's own Worker: runs Python for a step of the build, or captures its memory. Never part of a deployment.
 *
 * A step arrives as a container (see contract/bytes.ts): the header names it, the body is the archives that it mounts.
 */
import type { CaptureHeader, StepHeader, StepResult } from "../../contract/steps.ts";
import { CAPTURE, readContainer, STEP, STEP_RESULT, writeContainer } from "../../contract/bytes.ts";
import { boot, capture, evaluateForImage, type Booted, type Parts } from "../python/boot.ts";
import type { Image } from "../python/image.ts";
import { writtenFiles } from "../python/filesystem.ts";
import type { PyProxy } from "../python/pyodide.ts";
import { HOST_MODULES } from "./application.ts";

/** A captured memory as it is: the steps of a build start from it. */
function rawImage(buffer: ArrayBuffer): Image {
  const { header, body } = readContainer<CaptureHeader>(CAPTURE, buffer);
  return {
    memory: body.byteLength,
    references: header.references,
    restore: (memory) => memory.set(body),
  };
}

function captured(booted: Booted, result: string): Uint8Array {
  evaluateForImage(booted);
  const { memory, references, modules } = capture(booted, HOST_MODULES);
  const header: CaptureHeader = { references, modules, result };
  return writeContainer(CAPTURE, header, [memory]);
}

async function bare(parts: Parts, hashSeed: number): Promise<Uint8Array> {
  const booted = await boot(parts, { forImage: true, hashSeed, modules: HOST_MODULES });
  booted.python.runPython("import gc; gc.disable(); gc.collect()");
  return captured(booted, "");
}

async function step(parts: Parts, base: ArrayBuffer, body: ArrayBuffer): Promise<Uint8Array> {
  const { header, body: rest } = readContainer<StepHeader>(STEP, body);
  const archives: ArrayBuffer[] = [];
  let position = rest.byteOffset;
  for (const length of header.archives) {
    archives.push(body.slice(position, position + length));
    position += length;
  }
  const booted = await boot(parts, { image: rawImage(base), archives, forImage: true, modules: HOST_MODULES });
  booted.python.runPython(`import sys; sys.path[:0] = ${JSON.stringify(header.path)}; sys.path_importer_cache.clear()`);
  const program = booted.python.pyimport(header.module);
  const result = (await (program[header.function] as PyProxy).callPromising(JSON.stringify(header.config))) as string;
  if (header.capture) return captured(booted, result);
  const files: [string, Uint8Array][] = [];
  for (const folder of header.collect) {
    if (booted.module.FS.analyzePath(folder).exists) files.push(...writtenFiles(booted.module.FS, folder));
  }
  const found: StepResult = { result, files: files.map(([path, contents]) => [path, contents.byteLength]) };
  return writeContainer(STEP_RESULT, found, files.map(([, contents]) => contents));
}

export function createBuilder(parts: Parts, base: ArrayBuffer | undefined): ExportedHandler {
  return {
    async fetch(request) {
      try {
        if (!base) return new Response(await bare(parts, Number(new URL(request.url).searchParams.get("seed"))));
        return new Response(await step(parts, base, await request.arrayBuffer()));
      } catch (error) {
        return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 });
      }
    },
  };
}
