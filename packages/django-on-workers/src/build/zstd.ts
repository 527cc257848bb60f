/** Compression as workerd can undo it. */
import { constants, zstdCompressSync } from "node:zlib";

/**
 * An empty skippable frame (RFC 8878, 3.1.2). workerd's `zstdDecompressSync` reports "unexpected end of file" where a
 * frame's contents exactly fill the buffer that it has grown so far, 40 KiB and its doubles among them; with a frame
 * behind it there is still something to read.
 */
const END = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0);

/** `level` is 1 to 22. */
export function compress(bytes: Uint8Array, level: number): Uint8Array {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return Buffer.concat([zstdCompressSync(bytes, { params }), END]);
}
