/**
 * Containers that the build writes and the runtime reads: a magic, a version, a JSON header, then bytes.
 *
 *     u32 magic | u32 version | u32 length of the header in bytes | header as UTF-8 JSON | body
 *
 * All numbers are little-endian. A reader checks magic and version before anything else, so that artefacts of two
 * builds that got mixed are refused at once instead of misread.
 */
export interface ContainerKind {
  readonly name: string;
  readonly magic: number;
  readonly version: number;
}

/** The memory of an interpreter that has already imported the project. */
export const IMAGE: ContainerKind = { name: "image", magic: 0x49574f44, version: 1 };
/** The read-only tree of files that is mounted under the interpreter. */
export const ARCHIVE: ContainerKind = { name: "archive", magic: 0x41574f44, version: 3 };

/** A step of the build, its result, and a captured memory: between the build and its own Worker. */
export const STEP: ContainerKind = { name: "step", magic: 0x53574f44, version: 1 };
export const STEP_RESULT: ContainerKind = { name: "step's result", magic: 0x52574f44, version: 1 };
/** What a build has made of Pyodide. */
export const PREPARED: ContainerKind = { name: "prepared Pyodide", magic: 0x4c574f44, version: 1 };
export const CAPTURE: ContainerKind = { name: "captured memory", magic: 0x43574f44, version: 1 };

const PREAMBLE = 12;

export function writeContainer(kind: ContainerKind, header: unknown, body: readonly Uint8Array[]): Uint8Array {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const total = body.reduce((sum, part) => sum + part.byteLength, PREAMBLE + json.byteLength);
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, kind.magic, true);
  view.setUint32(4, kind.version, true);
  view.setUint32(8, json.byteLength, true);
  bytes.set(json, PREAMBLE);
  let offset = PREAMBLE + json.byteLength;
  for (const part of body) {
    bytes.set(part, offset);
    offset += part.byteLength;
  }
  return bytes;
}

/** Returns the parsed header and a view (no copy) of the body. */
export function readContainer<Header>(kind: ContainerKind, buffer: ArrayBuffer): { header: Header; body: Uint8Array } {
  const view = new DataView(buffer);
  const magic = buffer.byteLength < PREAMBLE ? 0 : view.getUint32(0, true);
  if (magic !== kind.magic) throw new Error(`The ${kind.name} of this build is damaged or of another kind; build again.`);
  const version = view.getUint32(4, true);
  if (version !== kind.version) {
    throw new Error(`The ${kind.name} is of format ${version}, this runtime reads ${kind.version}; build again.`);
  }
  const length = view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, PREAMBLE, length))) as Header;
  return { header, body: new Uint8Array(buffer, PREAMBLE + length) };
}

/** `[offset into the memory, bytes in memory, bytes when packed with zstd]`; pages that nothing has changed since the wasm instance was made are left out. */
export type ImageChunk = readonly [offset: number, length: number, packed: number];

export interface ImageHeader {
  /** Size of the linear memory, bytes. */
  memory: number;
  /** What Pyodide keeps outside linear memory, see its `serializeHiwireState`. */
  references: unknown;
  chunks: ImageChunk[];
}

/** Files that are packed together: `[offset into the contents, bytes as stored, bytes when unpacked]`, equal where nothing was gained. */
export type ArchiveBlock = readonly [offset: number, stored: number, length: number];
/** `[number of the block, offset into what it unpacks to, bytes]` */
export type ArchiveFile = readonly [block: number, offset: number, length: number];
/** Where the body has a folder, as JSON, so that it is parsed when somebody looks into it. */
export type ArchivePiece = readonly [offset: number, length: number];
export interface ArchiveFolder {
  [name: string]: ArchiveFile | ArchivePiece | ArchiveFolder;
}

export interface ArchiveHeader {
  /** Mount point → tree. The folders at its top are pieces. */
  mounts: Record<string, ArchiveFolder>;
  /** Where the contents begin in the body, behind the pieces. */
  contents: number;
  blocks: ArchiveBlock[];
}

export const isFile = (entry: ArchiveFolder[string]): entry is ArchiveFile => Array.isArray(entry) && entry.length === 3;

/** A folder of an archive, wherever it is. */
export function folderOf(body: Uint8Array, entry: ArchivePiece | ArchiveFolder): ArchiveFolder {
  if (!isPiece(entry)) return entry;
  const [offset, length] = entry;
  return JSON.parse(new TextDecoder().decode(body.subarray(offset, offset + length))) as ArchiveFolder;
}

const isPiece = (entry: ArchivePiece | ArchiveFolder): entry is ArchivePiece => Array.isArray(entry);
