/** The instructions of wasm functions. https://webassembly.github.io/spec/core/binary/instructions.html */
import { number, positive, Reader, type Reference } from "./wasm.ts";

export const UNREACHABLE = 0x00;
export const BLOCK = 0x02;
export const LOOP = 0x03;
export const IF = 0x04;
export const ELSE = 0x05;
export const END = 0x0b;
export const BR = 0x0c;
export const BR_IF = 0x0d;
export const BR_TABLE = 0x0e;
export const RETURN = 0x0f;
export const CALL = 0x10;
export const CALL_INDIRECT = 0x11;
const RETURN_CALL = 0x12;
const SELECT_TYPED = 0x1c;
export const LOCAL_GET = 0x20;
export const LOCAL_SET = 0x21;
export const LOCAL_TEE = 0x22;
export const TABLE_GET = 0x25;
export const I32_CONST = 0x41;
const F32_CONST = 0x43;
const F64_CONST = 0x44;
export const I32_EQ = 0x46;
export const REF_IS_NULL = 0xd1;
const REF_FUNC = 0xd2;
/** Its first number says which instruction it is: conversions up to 7, then what copies and fills. */
const MORE = 0xfc;
const LAST_CONVERSION = 7;
const OF_TWO = new Set([8, 10, 12, 14]);
/** No value, as the type of a block. */
export const EMPTY = 0x40;

/** Puts a number that is not negative on the stack. */
export const constant = (value: number): number[] => [I32_CONST, ...positive(value)];
/** Puts a variable on the stack. */
export const get = (local: number): number[] => [LOCAL_GET, ...number(local)];

/** Blocks that handle exceptions, in the older form and the newer one, and what belongs to them. */
export const isOfExceptions = (opcode: number): boolean => (opcode >= 0x06 && opcode <= 0x0a) || opcode === 0x18 || opcode === 0x19 || opcode === 0x1f;

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, index) => first + index);
/** Instructions of nothing but their opcode: control, parametric, comparisons, arithmetic, `ref.is_null`. */
const PLAIN = new Set([0x00, 0x01, 0x05, 0x0a, 0x0b, 0x0f, 0x19, 0x1a, 0x1b, REF_IS_NULL, ...range(0x45, 0xc4)]);
/** Numbers behind other opcodes: labels, blocks' types, variables, tables, constants, and for memory alignment and offset. */
const NUMBERS = new Map<number, number>([
  ...[...range(0x02, 0x04), ...range(0x06, 0x09), 0x0c, 0x0d, CALL, RETURN_CALL, 0x14, 0x18, ...range(0x20, 0x26), 0x3f, 0x40, I32_CONST, 0x42, 0xd0, REF_FUNC].map((opcode) => [opcode, 1] as const),
  ...[CALL_INDIRECT, 0x13, ...range(0x28, 0x3e)].map((opcode) => [opcode, 2] as const),
]);

/** An instruction, and where it lies: from `start` up to `end`. */
export interface Instruction {
  opcode: number;
  /** Numbers that follow the opcode, as they are written: those with a sign are not to be understood from here. */
  numbers: readonly number[];
  start: number;
  end: number;
}

/** Groups of local variables of one type, as an entry of the code section begins; the reader stands behind them. */
export function localsOf(reader: Reader): { count: number; type: number }[] {
  return reader.vector(() => ({ count: reader.number(), type: reader.byte() }));
}

/**
 * The instructions of an entry of the code section, without its size in front, in their order. Each is the same object, to
 * be copied by who keeps it. Throws at one that is not known.
 */
export function eachInstruction(code: Uint8Array, position: number, visit: (instruction: Instruction) => void): void {
  const reader = new Reader(code, position);
  const numbers: number[] = [];
  const instruction = { opcode: 0, numbers, start: 0, end: 0 };
  const read = (count: number): void => {
    for (let left = count; left > 0; left--) numbers.push(reader.number());
  };
  while (reader.position < code.byteLength) {
    instruction.start = reader.position;
    const opcode = (instruction.opcode = reader.byte());
    numbers.length = 0;
    const count = NUMBERS.get(opcode);
    if (count !== undefined) read(count);
    else if (opcode === BR_TABLE) read(reader.number() + 1);
    else if (opcode === SELECT_TYPED) reader.take(reader.number());
    else if (opcode === F32_CONST) reader.take(4);
    else if (opcode === F64_CONST) reader.take(8);
    else if (opcode === MORE) {
      read(1);
      const which = numbers[0] as number;
      if (which > LAST_CONVERSION) read(OF_TWO.has(which) ? 2 : 1);
    } else if (!PLAIN.has(opcode)) throw new Error(`The wasm module has an instruction that is not known (0x${opcode.toString(16)}).`);
    instruction.end = reader.position;
    visit(instruction);
  }
}

const CALLS = new Set([CALL, RETURN_CALL, REF_FUNC]);

/** The functions that an entry of the code section calls or refers to. Throws at an instruction that is not known. */
export function callsIn(entry: Uint8Array): Reference[] {
  const found: Reference[] = [];
  const reader = new Reader(entry);
  reader.number();
  localsOf(reader);
  eachInstruction(entry, reader.position, ({ opcode, numbers, start, end }) => {
    if (CALLS.has(opcode)) found.push({ which: numbers[0] as number, bytes: entry.subarray(start + 1, end) });
  });
  return found;
}

/** What instructions of these opcodes take from the stack and leave there. */
const ARITY = new Map<number, readonly [takes: number, leaves: number]>();
const arity = (takes: number, leaves: number, ...opcodes: number[]): void => opcodes.forEach((opcode) => ARITY.set(opcode, [takes, leaves]));
arity(0, 1, LOCAL_GET, 0x23, 0x3f, I32_CONST, 0x42, F32_CONST, F64_CONST, 0xd0, REF_FUNC);
arity(1, 0, 0x1a, LOCAL_SET, 0x24, BR_IF);
arity(1, 1, LOCAL_TEE, TABLE_GET, ...range(0x28, 0x35), 0x40, 0x45, 0x50, ...range(0x67, 0x69), ...range(0x79, 0x7b), ...range(0x8b, 0x91), ...range(0x99, 0x9f), ...range(0xa7, 0xc4), REF_IS_NULL);
arity(2, 0, 0x26, ...range(0x36, 0x3e));
arity(2, 1, ...range(0x46, 0x4f), ...range(0x51, 0x66), ...range(0x6a, 0x78), ...range(0x7c, 0x8a), ...range(0x92, 0x98), ...range(0xa0, 0xa6));
arity(3, 1, 0x1b, SELECT_TYPED);
arity(0, 0, 0x01);
const ARITY_OF_MORE = [...Array.from({ length: 8 }, () => [1, 1] as const), [3, 0], [0, 0], [3, 0], [3, 0], [3, 0], [0, 0], [3, 0], [2, 1], [0, 1], [3, 0]] as const;

/** By how much an instruction that is neither control nor a call makes the stack higher. */
export function growth({ opcode, numbers }: Instruction): number {
  const found = opcode === MORE ? ARITY_OF_MORE[numbers[0] as number] : ARITY.get(opcode);
  if (!found) throw new Error(`The wasm module has an instruction that is not known (0x${opcode.toString(16)}).`);
  return found[1] - found[0];
}
