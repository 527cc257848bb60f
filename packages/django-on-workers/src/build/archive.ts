/** Writing the tree of files that the runtime mounts, see contract/bytes.ts. */
import { zstdDecompressSync } from "node:zlib";
import { ARCHIVE, folderOf, isFile, readContainer, writeContainer, type ArchiveBlock, type ArchiveFile, type ArchiveFolder, type ArchiveHeader, type ArchivePiece } from "../contract/bytes.ts";
import { compress } from "./zstd.ts";

/** Files by their absolute path in the interpreter. */
export type Files = Map<string, Uint8Array>;

/** Files that are packed together or, where that gains nothing, stored. */
interface Block {
  bytes: Uint8Array;
  length: number;
}

/** Where a file lies. */
export interface Packed {
  block: Block;
  offset: number;
  length: number;
}

const WORTHWHILE = 0.9;

function pack(contents: Uint8Array, level: number): Block {
  const { byteLength: length } = contents;
  if (length < 64) return { bytes: contents, length };
  const packed = compress(contents, level);
  return { bytes: packed.byteLength < length * WORTHWHILE ? packed : contents, length };
}

const kindOf = (path: string): string => path.slice(path.lastIndexOf(".") + 1);
const byName = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Files in groups of at least so many bytes; those of one kind are neighbours, because they pack well together. */
function* groupsOf(files: Files, size: number): Generator<[path: string, contents: Uint8Array][]> {
  let group: [path: string, contents: Uint8Array][] = [];
  let length = 0;
  for (const file of [...files].sort(([a], [b]) => byName(kindOf(a), kindOf(b)) || byName(a, b))) {
    group.push(file);
    length += file[1].byteLength;
    if (length < size) continue;
    yield group;
    group = [];
    length = 0;
  }
  if (group.length > 0) yield group;
}

/** Packs each file by itself or, given a `size`, about that many bytes together: smaller, but who reads one file unpacks them all. */
export function packFiles(files: Files, level: number, size = 0): Map<string, Packed> {
  const packed = new Map<string, Packed>();
  for (const group of groupsOf(files, size)) {
    const block = pack(Buffer.concat(group.map(([, contents]) => contents)), level);
    let offset = 0;
    for (const [path, { byteLength: length }] of group) {
      packed.set(path, { block, offset, length });
      offset += length;
    }
  }
  return packed;
}

export function unpack({ block, offset, length }: Packed): Uint8Array {
  const contents = block.bytes.byteLength === block.length ? block.bytes : zstdDecompressSync(block.bytes);
  return contents.subarray(offset, offset + length);
}

/** The archive of files below `mounts`, and of folders even if there is no file in them. */
export function writeArchive(mounts: readonly string[], files: Map<string, Packed>, folders: readonly string[] = []): Uint8Array {
  const trees = new Map(mounts.map((mount) => [mount, {} as ArchiveFolder]));
  const folderAt = (path: string): ArchiveFolder => {
    const mount = mounts.find((folder) => path.startsWith(`${folder}/`) || path === folder);
    if (mount === undefined) throw new Error(`${path} lies under none of ${mounts.join(", ")}`);
    const names = path === mount ? [] : path.slice(mount.length + 1).split("/");
    return names.reduce((folder, name) => (folder[name] ??= {}) as ArchiveFolder, trees.get(mount) as ArchiveFolder);
  };
  for (const path of folders) folderAt(path);
  const blocks: ArchiveBlock[] = [];
  const numbers = new Map<Block, number>();
  let end = 0;
  for (const [path, { block, offset, length }] of files) {
    if (!numbers.has(block)) {
      numbers.set(block, blocks.length);
      blocks.push([end, block.bytes.byteLength, block.length]);
      end += block.bytes.byteLength;
    }
    const slash = path.lastIndexOf("/");
    folderAt(path.slice(0, slash))[path.slice(slash + 1)] = [numbers.get(block) as number, offset, length];
  }
  const pieces: Uint8Array[] = [];
  let contents = 0;
  const pieceOf = (entry: ArchiveFolder[string]): ArchiveFile | ArchivePiece => {
    if (isFile(entry)) return entry;
    const bytes = Buffer.from(JSON.stringify(entry));
    pieces.push(bytes);
    contents += bytes.byteLength;
    return [contents - bytes.byteLength, bytes.byteLength];
  };
  const mounted = [...trees].map(([mount, tree]) => [mount, Object.fromEntries(Object.entries(tree).map(([name, entry]) => [name, pieceOf(entry)]))]);
  const header: ArchiveHeader = { mounts: Object.fromEntries(mounted), contents, blocks };
  return writeContainer(ARCHIVE, header, [...pieces, ...[...numbers.keys()].map(({ bytes }) => bytes)]);
}

/** An archive in two: the tree of its files, and what they hold. */
export function treeAndContents(archive: Uint8Array): { tree: Uint8Array; contents: Uint8Array } {
  const { header, body } = readContainer<ArchiveHeader>(ARCHIVE, bufferOf(archive));
  const end = archive.byteLength - body.byteLength + header.contents;
  return { tree: archive.subarray(0, end), contents: archive.subarray(end) };
}

export const bufferOf = (bytes: Uint8Array): ArrayBuffer => bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;

/** The files of an archive as they lie in it, without unpacking. */
export function readArchive(archive: Uint8Array): Map<string, Packed> {
  const { header, body } = readContainer<ArchiveHeader>(ARCHIVE, bufferOf(archive));
  const contents = body.subarray(header.contents);
  const blocks = header.blocks.map(([offset, stored, length]): Block => ({ bytes: contents.subarray(offset, offset + stored), length }));
  const files = new Map<string, Packed>();
  const walk = (folder: ArchiveFolder, prefix: string): void => {
    for (const [name, entry] of Object.entries(folder)) {
      if (isFile(entry)) {
        const [block, offset, length] = entry;
        files.set(`${prefix}/${name}`, { block: blocks[block] as Block, offset, length });
      } else walk(folderOf(body, entry), `${prefix}/${name}`);
    }
  };
  for (const [mount, folder] of Object.entries(header.mounts)) walk(folder, mount);
  return files;
}
