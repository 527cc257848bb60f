/** Writing the tree of files that the runtime mounts, see contract/bytes.ts. */
import { ARCHIVE, readContainer, writeContainer, type ArchiveFile, type ArchiveFolder, type ArchiveHeader } from "../contract/bytes.ts";
import { compress } from "./zstd.ts";

/** Files by their absolute path in the interpreter. */
export type Files = Map<string, Uint8Array>;

/** A file that is packed or, where that gains nothing, stored. */
export interface Packed {
  bytes: Uint8Array;
  length: number;
}

const WORTHWHILE = 0.9;

function pack(contents: Uint8Array, level: number): Packed {
  if (contents.byteLength < 64) return { bytes: contents, length: contents.byteLength };
  const packed = compress(contents, level);
  const gained = packed.byteLength < contents.byteLength * WORTHWHILE;
  return { bytes: gained ? packed : contents, length: contents.byteLength };
}

export function packFiles(files: Files, level: number): Map<string, Packed> {
  return new Map([...files].map(([path, contents]) => [path, pack(contents, level)]));
}

export function writeArchive(mounts: readonly string[], files: Map<string, Packed>): Uint8Array {
  const header: ArchiveHeader = { mounts: Object.fromEntries(mounts.map((mount) => [mount, {}])) };
  const body: Uint8Array[] = [];
  let offset = 0;
  for (const [path, { bytes, length }] of files) {
    const mount = mounts.find((folder) => path.startsWith(`${folder}/`));
    if (mount === undefined) throw new Error(`${path} lies under none of ${mounts.join(", ")}`);
    const names = path.slice(mount.length + 1).split("/");
    const name = names.pop() as string;
    let folder = header.mounts[mount] as ArchiveFolder;
    for (const part of names) folder = (folder[part] ??= {}) as ArchiveFolder;
    folder[name] = [offset, bytes.byteLength, length];
    body.push(bytes);
    offset += bytes.byteLength;
  }
  return writeContainer(ARCHIVE, header, body);
}

/** The files of an archive as they lie in it, without unpacking. */
export function readArchive(archive: Uint8Array): Map<string, Packed> {
  const buffer = archive.buffer.slice(archive.byteOffset, archive.byteOffset + archive.byteLength) as ArrayBuffer;
  const { header, body } = readContainer<ArchiveHeader>(ARCHIVE, buffer);
  const files = new Map<string, Packed>();
  const walk = (folder: ArchiveFolder, prefix: string): void => {
    for (const [name, entry] of Object.entries(folder)) {
      if (Array.isArray(entry)) {
        const [offset, stored, length] = entry as ArchiveFile;
        files.set(`${prefix}/${name}`, { bytes: body.subarray(offset, offset + stored), length });
      } else walk(entry as ArchiveFolder, `${prefix}/${name}`);
    }
  };
  for (const [mount, folder] of Object.entries(header.mounts)) walk(folder, mount);
  return files;
}
