/**
 * Files: a tree that comes with the build, mounted lazily over Emscripten's own in-memory file system.
 *
 * Nodes are made when a path is looked up, contents are unpacked when a file is read; once made, a node is an ordinary
 * MEMFS node, so writing, renaming and deleting work as they do in memory. Nothing written outlives the isolate.
 */
import { zstdDecompressSync } from "node:zlib";
import { ARCHIVE, folderOf, isFile, readContainer, type ArchiveBlock, type ArchiveFile, type ArchiveFolder, type ArchiveHeader, type ArchivePiece } from "../../contract/bytes.ts";
import type { EmscriptenFS, FSNode } from "./pyodide.ts";

const FOLDER_MODE = 0o40755;
const FILE_MODE = 0o100644;
const ENOENT = 44;
/** Every node carries this time: the interpreter's caches of folders in an image stay valid after a restore. */
const MODIFIED = Date.UTC(2026, 0, 1);

/** Unpacks blocks. The last one is kept: who reads a file often reads its neighbours next. */
function unpacker(contents: () => Uint8Array, blocks: readonly ArchiveBlock[]): (file: ArchiveFile) => Uint8Array {
  let last: { number: number; contents: Uint8Array } | undefined;
  const contentsOf = (number: number): Uint8Array => {
    if (last?.number === number) return last.contents;
    const [start, stored, length] = blocks[number] as ArchiveBlock;
    const bytes = contents().subarray(start, start + stored);
    if (stored === length) return bytes;
    last = { number, contents: zstdDecompressSync(bytes) };
    return last.contents;
  };
  // A copy, because MEMFS may write into what it is given.
  return ([block, offset, length]) => new Uint8Array(contentsOf(block).subarray(offset, offset + length));
}

/** Contents that are unpacked on first use. */
function lazyContents(node: FSNode, length: number, unpack: () => Uint8Array): void {
  node.usedBytes = length;
  Object.defineProperty(node, "contents", {
    configurable: true,
    enumerable: true,
    get() {
      const contents = unpack();
      Object.defineProperty(node, "contents", { value: contents, writable: true, configurable: true, enumerable: true });
      return contents;
    },
    set(contents: unknown) {
      Object.defineProperty(node, "contents", { value: contents, writable: true, configurable: true, enumerable: true });
    },
  });
}

/** A tree of files. What they hold lies behind it or, where that is loaded when the first of them is read, elsewhere. */
export interface Archive {
  tree: ArrayBuffer;
  contents?: () => ArrayBuffer;
}

export function mountArchive(FS: EmscriptenFS, { tree, contents }: Archive): void {
  const { header, body } = readContainer<ArchiveHeader>(ARCHIVE, tree);
  const { MEMFS } = FS.filesystems;
  const unpack = unpacker(() => (contents ? new Uint8Array(contents()) : body.subarray(header.contents)), header.blocks);

  const settle = (node: FSNode): FSNode => {
    node.atime = node.mtime = node.ctime = MODIFIED;
    return node;
  };

  function makeFolder(node: FSNode, folder: ArchivePiece | ArchiveFolder): FSNode {
    // What has become a node is taken out of this table: a deleted file must not come back.
    let table: Map<string, ArchiveFolder[string]> | undefined;
    const waiting = () => (table ??= new Map(Object.entries(folderOf(body, folder))));
    const appear = (name: string): FSNode | undefined => {
      const entry = waiting().get(name);
      if (!entry) return undefined;
      waiting().delete(name);
      const { mtime, ctime } = node;
      const child = MEMFS.createNode(node, name, isFile(entry) ? FILE_MODE : FOLDER_MODE, 0);
      node.mtime = mtime;
      node.ctime = ctime;
      if (isFile(entry)) lazyContents(child, entry[2], () => unpack(entry));
      else makeFolder(child, entry);
      return settle(child);
    };
    const memory = node.node_ops as Record<string, (...args: unknown[]) => unknown>;
    node.node_ops = {
      ...node.node_ops,
      lookup(_parent: FSNode, name: string) {
        const child = appear(name);
        if (!child) throw new FS.ErrnoError(ENOENT);
        return child;
      },
      readdir(folder: FSNode) {
        for (const name of [...waiting().keys()]) appear(name);
        return memory["readdir"]?.(folder);
      },
      rmdir(parent: FSNode, name: string) {
        // MEMFS calls a folder empty when it has no nodes: let the victim's appear first.
        const victim = appear(name) ?? (parent.contents as Record<string, FSNode>)[name];
        if (victim) (victim.node_ops as Record<string, (node: FSNode) => unknown>)["readdir"]?.(victim);
        return memory["rmdir"]?.(parent, name);
      },
    };
    return settle(node);
  }

  for (const [path, folder] of Object.entries(header.mounts)) {
    FS.mkdirTree(path);
    FS.mount({ mount: (mount: unknown) => makeFolder(MEMFS.mount(mount), folder) }, {}, path);
  }
}

/** The files under `path` that were written since it was mounted, and not before a time in milliseconds, by their path. */
export function* writtenFiles(FS: EmscriptenFS, path: string, since = 0): Generator<[path: string, contents: Uint8Array]> {
  const { node } = FS.lookupPath(path);
  for (const name of Object.keys(node.contents as object)) {
    const child = `${path}/${name}`;
    const { node: found } = FS.lookupPath(child);
    if (FS.isDir(found.mode)) yield* writtenFiles(FS, child, since);
    else if (FS.isFile(found.mode) && found.mtime !== MODIFIED && found.mtime >= since) yield [child, FS.readFile(child)];
  }
}

/** Where what is no ordinary file lies. */
const SPECIAL = new Set(["/dev", "/proc"]);

/** Paths of folders and files that no archive has, or that were written since it was mounted. */
export function* madePaths(FS: EmscriptenFS, path = ""): Generator<string> {
  const { node } = FS.lookupPath(path || "/");
  for (const name of Object.keys(node.contents as object)) {
    const child = `${path}/${name}`;
    if (SPECIAL.has(child)) continue;
    const { node: found } = FS.lookupPath(child);
    if (FS.isDir(found.mode)) {
      // An archive's folder looks up what it has by itself.
      if (found.node_ops === FS.filesystems.MEMFS.ops_table.dir.node) yield child;
      yield* madePaths(FS, child);
    } else if (FS.isFile(found.mode) && found.mtime !== MODIFIED) yield child;
  }
}
