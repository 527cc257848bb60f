/**
 * The parts of Pyodide that the host uses, below its public API: `pyodide.asm.mjs` and what it hangs on its module.
 * Pyodide's `src/js/pyodide.ts` and `src/js/snapshot.ts` are the sources; the version is pinned in package.json.
 */
export interface PyProxy {
  (...args: unknown[]): unknown;
  callPromising(...args: unknown[]): Promise<unknown>;
  get(name: string): PyProxy;
  destroy(): void;
  copy(): PyProxy;
  toJs(options?: object): unknown;
  getBuffer(type?: string): { data: Uint8Array; release(): void };
}

export interface FSNode {
  id: number;
  name: string;
  mode: number;
  parent: FSNode;
  mounted: unknown;
  contents: unknown;
  usedBytes: number;
  atime: number;
  mtime: number;
  ctime: number;
  node_ops: Record<string, (...args: never[]) => unknown>;
  stream_ops: Record<string, (...args: never[]) => unknown>;
}

export interface EmscriptenFS {
  mkdirTree(path: string): void;
  chdir(path: string): void;
  writeFile(path: string, data: Uint8Array | string, options?: { canOwn?: boolean }): void;
  readFile(path: string): Uint8Array;
  readdir(path: string): string[];
  symlink(target: string, path: string): unknown;
  mount(type: object, options: object, path: string): unknown;
  lookupPath(path: string): { node: FSNode };
  analyzePath(path: string): { exists: boolean };
  isDir(mode: number): boolean;
  isFile(mode: number): boolean;
  hashAddNode(node: FSNode): void;
  filesystems: { MEMFS: MemFS };
  ErrnoError: new (errno: number) => Error;
}

export interface MemFS {
  mount(mount: unknown): FSNode;
  createNode(parent: FSNode | null, name: string, mode: number, dev: number): FSNode;
  ops_table: { dir: { node: FSNode["node_ops"] }; file: { node: FSNode["node_ops"]; stream: FSNode["stream_ops"] } };
}

export interface PyodidePublic {
  globals: PyProxy;
  runPython(code: string): unknown;
  registerJsModule(name: string, module: object): void;
  pyimport(name: string): PyProxy & Record<string, PyProxy>;
}

export interface PyodideModule {
  API: {
    config: { jsglobals: unknown };
    pyVersionTuple: readonly [number, number, number];
    sitePackages: string;
    finalizeBootstrap(references?: unknown, deserializer?: (entry: unknown) => unknown): PyodidePublic;
    serializeHiwireState(serializer: (value: unknown) => unknown): unknown;
    on_fatal?: (error: unknown) => void;
    scheduleCallback(callback: () => void, milliseconds?: number): void;
    rawRun(code: string): readonly [status: number, captured: string];
  };
  ENV: Record<string, string>;
  FS: EmscriptenFS;
  HEAPU8: Uint8Array;
  HEAPU32: Uint32Array;
  _Py_Version: number;
  __Py_TrueStruct: number;
  __Py_FalseStruct: number;
  _malloc(size: number): number;
  _PyImport_AddModule(name: number): number;
  _PyCFunction_NewEx(definition: number, self: number, module: number): number;
  _PyObject_SetAttrString(object: number, name: number, value: number): number;
}

export type CreatePyodideModule = (settings: object) => Promise<PyodideModule>;
