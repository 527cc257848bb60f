/** The part of Node's crypto that workerd has and that the runtime uses. */
declare module "node:crypto" {
  export function scryptSync(
    password: Uint8Array,
    salt: Uint8Array,
    length: number,
    options: { N: number; r: number; p: number; maxmem?: number },
  ): Uint8Array;
}
/** The part of Node's zlib that workerd has and that the runtime uses. */
declare module "node:zlib" {
  export function zstdDecompressSync(bytes: Uint8Array, options?: { chunkSize?: number }): Uint8Array;
}
