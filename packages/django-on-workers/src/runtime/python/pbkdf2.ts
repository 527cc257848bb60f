/**
 * PBKDF2 with HMAC (RFC 8018) over SHA-256 and SHA-1: what Django hashes passwords with.
 *
 * Pyodide's `hashlib` has no OpenSSL and so no `pbkdf2_hmac`; Python itself would need seconds for it. WebCrypto and
 * `node:crypto` have it, but Cloudflare refuses more than 100,000 iterations, and Django asks for over a million.
 */

/** FIPS 180-4, 4.2.2. */
const K = Int32Array.of(
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
);
/** FIPS 180-4, 5.3.3. */
const INITIAL = Int32Array.of(
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
);
const BLOCK = 64;

const schedule = new Int32Array(80);

/** A hash function of FIPS 180-4 that works on blocks of 64 bytes. */
interface Hash {
  initial: Int32Array;
  /** One step: `to` becomes `from` with the block mixed in; they may be the same. */
  compress(this: void, from: Int32Array, to: Int32Array, block: Int32Array): void;
}

function compress256(from: Int32Array, to: Int32Array, block: Int32Array): void {
  const w = schedule;
  w.set(block);
  for (let i = 16; i < 64; i++) {
    const x = w[i - 15] as number;
    const y = w[i - 2] as number;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0;
  }
  let a = from[0] as number;
  let b = from[1] as number;
  let c = from[2] as number;
  let d = from[3] as number;
  let e = from[4] as number;
  let f = from[5] as number;
  let g = from[6] as number;
  let h = from[7] as number;
  for (let i = 0; i < 64; i++) {
    const S1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + S1 + ((e & f) ^ (~e & g)) + (K[i] as number) + (w[i] as number)) | 0;
    const S0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (S0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  to[0] = ((from[0] as number) + a) | 0;
  to[1] = ((from[1] as number) + b) | 0;
  to[2] = ((from[2] as number) + c) | 0;
  to[3] = ((from[3] as number) + d) | 0;
  to[4] = ((from[4] as number) + e) | 0;
  to[5] = ((from[5] as number) + f) | 0;
  to[6] = ((from[6] as number) + g) | 0;
  to[7] = ((from[7] as number) + h) | 0;
}

function compress1(from: Int32Array, to: Int32Array, block: Int32Array): void {
  const w = schedule;
  w.set(block);
  for (let i = 16; i < 80; i++) {
    const x = (w[i - 3] as number) ^ (w[i - 8] as number) ^ (w[i - 14] as number) ^ (w[i - 16] as number);
    w[i] = (x << 1) | (x >>> 31);
  }
  let a = from[0] as number;
  let b = from[1] as number;
  let c = from[2] as number;
  let d = from[3] as number;
  let e = from[4] as number;
  for (let i = 0; i < 80; i++) {
    let mixed: number;
    if (i < 20) mixed = ((b & c) ^ (~b & d)) + 0x5a827999;
    else if (i < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
    else if (i < 60) mixed = ((b & c) ^ (b & d) ^ (c & d)) + 0x8f1bbcdc;
    else mixed = (b ^ c ^ d) + 0xca62c1d6;
    const next = (((a << 5) | (a >>> 27)) + mixed + e + (w[i] as number)) | 0;
    e = d;
    d = c;
    c = (b << 30) | (b >>> 2);
    b = a;
    a = next;
  }
  to[0] = ((from[0] as number) + a) | 0;
  to[1] = ((from[1] as number) + b) | 0;
  to[2] = ((from[2] as number) + c) | 0;
  to[3] = ((from[3] as number) + d) | 0;
  to[4] = ((from[4] as number) + e) | 0;
}

const HASHES = {
  // Initial value: FIPS 180-4, 5.3.1.
  sha1: { initial: Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0), compress: compress1 },
  sha256: { initial: INITIAL, compress: compress256 },
} satisfies Record<string, Hash>;

/** Names as Python's `hashlib` has them. */
export type HashName = keyof typeof HASHES;

/** Finishes a hash whose state has taken in `before` bytes already. */
function finish({ compress }: Hash, state: Int32Array, bytes: Uint8Array, before: number): Int32Array {
  const padded = new Uint8Array(Math.ceil((bytes.byteLength + 9) / BLOCK) * BLOCK);
  padded.set(bytes);
  padded[bytes.byteLength] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.byteLength - 8, BigInt(before + bytes.byteLength) * 8n);
  const result = Int32Array.from(state);
  const block = new Int32Array(16);
  for (let offset = 0; offset < padded.byteLength; offset += BLOCK) {
    for (let i = 0; i < 16; i++) block[i] = view.getInt32(offset + 4 * i);
    compress(result, result, block);
  }
  return result;
}

function bytesOf(words: Int32Array): Uint8Array {
  const bytes = new Uint8Array(4 * words.length);
  const view = new DataView(bytes.buffer);
  words.forEach((word, index) => view.setInt32(4 * index, word));
  return bytes;
}

/** The state after a block that is the key, each byte combined with `pad`. */
function keyed({ initial, compress }: Hash, key: Uint8Array, pad: number): Int32Array {
  const bytes = new Uint8Array(BLOCK).fill(pad);
  key.forEach((byte, index) => (bytes[index] = byte ^ pad));
  const view = new DataView(bytes.buffer);
  const state = Int32Array.from(initial);
  compress(
    state,
    state,
    Int32Array.from({ length: 16 }, (_, i) => view.getInt32(4 * i)),
  );
  return state;
}

/** `length` bytes that are derived from a password. */
export function pbkdf2(name: HashName, password: Uint8Array, salt: Uint8Array, iterations: number, length: number): Uint8Array {
  const hash = HASHES[name];
  const { initial, compress } = hash;
  const words = initial.length;
  const size = 4 * words;
  const key = password.byteLength > BLOCK ? bytesOf(finish(hash, initial, password, 0)) : password;
  const inner = keyed(hash, key, 0x36);
  const outer = keyed(hash, key, 0x5c);
  const derived = new Uint8Array(Math.ceil(length / size) * size);
  const salted = new Uint8Array(salt.byteLength + 4);
  salted.set(salt);
  // A digest as a message of its own: padding, and the length of it and the key's block in bits.
  const message = new Int32Array(16);
  message[words] = 0x80000000;
  message[15] = 8 * (BLOCK + size);
  for (let number = 1; size * (number - 1) < length; number++) {
    new DataView(salted.buffer).setUint32(salt.byteLength, number);
    message.set(finish(hash, inner, salted, BLOCK));
    compress(outer, message, message);
    const sum = message.slice(0, words);
    for (let i = 1; i < iterations; i++) {
      compress(inner, message, message);
      compress(outer, message, message);
      for (let j = 0; j < words; j++) sum[j] = (sum[j] as number) ^ (message[j] as number);
    }
    derived.set(bytesOf(sum), size * (number - 1));
  }
  return derived.subarray(0, length);
}
