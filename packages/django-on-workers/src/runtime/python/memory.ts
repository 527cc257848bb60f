/** The linear memory of one interpreter. */
import type { Bytes } from "../../contract/host.ts";

export class LinearMemory {
  /** Memory grows, and its views with it: asked for each time. */
  readonly #bytes: () => Uint8Array;
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(bytes: () => Uint8Array) {
    this.#bytes = bytes;
  }

  /** All of it; valid until the call from Python returns. */
  get bytes(): Uint8Array {
    return this.#bytes();
  }

  /** The same, for numbers. */
  get view(): DataView {
    const { buffer } = this.#bytes();
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer);
    return this.#view;
  }

  copy([address, length]: Bytes): Uint8Array {
    return this.#bytes().slice(address, address + length);
  }

  write(address: number, bytes: Uint8Array): void {
    this.#bytes().set(bytes, address);
  }
}
