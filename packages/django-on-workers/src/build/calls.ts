/** What the code of a wasm function calls. https://webassembly.github.io/spec/core/binary/instructions.html */
import { Reader } from "./wasm.ts";

const CALLS = new Set([0x10 /* call */, 0x12 /* return_call */, 0xd2 /* ref.func */]);
/** Instructions of nothing but their opcode: control, parametric, comparisons, arithmetic, `ref.is_null`. */
const isPlain = (opcode: number): boolean =>
  [0x00, 0x01, 0x05, 0x0a, 0x0b, 0x0f, 0x19, 0x1a, 0x1b, 0xd1].includes(opcode) || (opcode >= 0x45 && opcode <= 0xc4);
/** Numbers behind other opcodes: labels, blocks' types, variables, tables, constants, and for memory alignment and offset. */
const NUMBERS = new Map<number, number>([
  ...[0x02, 0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0c, 0x0d, 0x14, 0x18, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x3f, 0x40, 0x41, 0x42, 0xd0].map((opcode) => [opcode, 1] as const),
  ...[0x11, 0x13, ...Array.from({ length: 0x3e - 0x28 + 1 }, (_, index) => 0x28 + index)].map((opcode) => [opcode, 2] as const),
]);
const BR_TABLE = 0x0e;
const SELECT = 0x1c;
const F32_CONST = 0x43;
const F64_CONST = 0x44;
/** Its second number says which instruction it is: conversions up to 7, then what copies and fills. */
const MORE = 0xfc;
const LAST_CONVERSION = 7;
const OF_TWO = new Set([8, 10, 12, 14]);

/** The numbers of the functions that an entry of the code section calls or refers to. Throws at an instruction that is not known. */
export function callsIn(entry: Uint8Array): number[] {
  const found: number[] = [];
  const reader = new Reader(entry);
  reader.number();
  reader.vector(() => ({ count: reader.number(), type: reader.byte() }));
  const skip = (count: number): void => {
    for (let left = count; left > 0; left--) reader.number();
  };
  while (reader.position < entry.byteLength) {
    const opcode = reader.byte();
    const numbers = NUMBERS.get(opcode);
    if (CALLS.has(opcode)) found.push(reader.number());
    else if (numbers !== undefined) skip(numbers);
    else if (opcode === BR_TABLE) skip(reader.number() + 1);
    else if (opcode === SELECT) reader.take(reader.number());
    else if (opcode === F32_CONST) reader.take(4);
    else if (opcode === F64_CONST) reader.take(8);
    else if (opcode === MORE) {
      const which = reader.number();
      if (which > LAST_CONVERSION) skip(OF_TWO.has(which) ? 2 : 1);
    } else if (!isPlain(opcode)) throw new Error(`The wasm module has an instruction that is not known (0x${opcode.toString(16)}).`);
  }
  return found;
}
