/** The linear memory of one interpreter. */
import type { Bytes } from "../../contract/host.ts";

export class LinearMemory {
  /** Memory grows, and its views with it: asked for each time. */
  readonly #bytes: () => Uint8Array;

  constructor(bytes: () => Uint8Array) {
    this.#bytes = bytes;
  }

  /** A view; valid until the call from Python returns. */
  view([address, length]: Bytes): Uint8Array {
    return this.#bytes().subarray(address, address + length);
  }

  copy([address, length]: Bytes): Uint8Array {
    return this.#bytes().slice(address, address + length);
  }

  write(address: number, bytes: Uint8Array): void {
    this.#bytes().set(bytes, address);
  }
}
