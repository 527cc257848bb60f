/** Bytes of Python's, read where they lie. */
import type { Bytes } from "../../contract/host.ts";

/** The interpreter whose call is being answered: there is one at a time, and a new one takes the place of a dead one. */
let heap: () => Uint8Array = () => {
  throw new Error("No interpreter has been started.");
};

/** Linear memory grows, and its views with it: ask each time. */
export function useMemory(current: () => Uint8Array): void {
  heap = current;
}

/** A view; valid until the call from Python returns. */
export function view([address, length]: Bytes): Uint8Array {
  return heap().subarray(address, address + length);
}

export function copy([address, length]: Bytes): Uint8Array {
  return heap().slice(address, address + length);
}
