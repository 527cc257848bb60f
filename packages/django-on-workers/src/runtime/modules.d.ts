/** The part of Node's zlib that workerd has and that the runtime uses. */
declare module "node:zlib" {
  export function zstdDecompressSync(bytes: Uint8Array, options?: { chunkSize?: number }): Uint8Array;
}
