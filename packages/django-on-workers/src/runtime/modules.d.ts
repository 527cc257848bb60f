/** The part of Node's crypto that workerd has and that the runtime uses. */
interface NodeCrypto {
  scryptSync(password: Uint8Array, salt: Uint8Array, length: number, options: { N: number; r: number; p: number; maxmem?: number }): Uint8Array;
}
/** https://nodejs.org/api/process.html#processgetbuiltinmoduleid */
declare const process: { getBuiltinModule(name: "node:crypto"): NodeCrypto };
/** The part of Node's zlib that workerd has and that the runtime uses. */
declare module "node:zlib" {
  export const constants: { ZSTD_e_end: number };
  export function createZstdDecompress(): { on(event: "error", listener: () => void): void };
  export function zstdDecompressSync(bytes: Uint8Array, options?: { chunkSize?: number }): Uint8Array;
}
