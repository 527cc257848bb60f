/** Which ways the code of a wasm function can take, and which variables are still needed on them. */
import {
  BLOCK,
  BR,
  BR_IF,
  BR_TABLE,
  CALL,
  CALL_INDIRECT,
  eachInstruction,
  ELSE,
  EMPTY,
  END,
  growth,
  IF,
  isOfExceptions,
  LOCAL_GET,
  LOCAL_SET,
  LOCAL_TEE,
  localsOf,
  LOOP,
  RETURN,
  UNREACHABLE,
  type Instruction,
} from "./instructions.ts";
import { CODE, described, FUNCTION, IMPORT, importsIn, Reader, sectionsOf, TYPE, typesIn } from "./wasm.ts";

/** A function's body, or a block, loop or condition in it. */
export interface Frame {
  opcode: number;
  /** The frame around it; of the body, itself. */
  parent: number;
  /** Its instructions, without `block` and `end`. */
  from: number;
  to: number;
  /** Where its `else` is, if it has one. */
  middle: number | undefined;
  /** Types of what it leaves on the stack. */
  results: readonly number[];
}

/** Instructions that run one after the other, whenever the first one does. */
interface Straight {
  from: number;
  to: number;
  /** Those that can follow, by their places. */
  next: number[];
}

export interface FunctionType {
  parameters: readonly number[];
  results: readonly number[];
}

interface Types {
  /** Of a function, by its number. */
  function(which: number): FunctionType;
  /** By its own number. */
  number(which: number): FunctionType;
}

const LEAVES = new Set([UNREACHABLE, BR, BR_TABLE, RETURN]);
const OPENS = new Set([BLOCK, LOOP, IF]);
const ENDS_STRAIGHT = new Set([...LEAVES, LOOP, IF, ELSE, END, BR_IF]);
/** A block's type of one byte: no value, or one of a type. Anything else is the number of a type of functions. */
const isSimple = ({ numbers, start, end }: Instruction): boolean => end - start === 2 && (numbers[0] as number) >= EMPTY;

/** A function's code, without its size in front, and how it runs. */
export class Flow {
  readonly code: Uint8Array;
  readonly type: FunctionType;
  /** Types of its variables, of parameters first. */
  readonly locals: number[];
  /** Where its instructions begin. */
  readonly start: number;
  readonly instructions: Instruction[] = [];
  readonly frames: Frame[];
  /** For each instruction, the frame around it. */
  readonly frameOf: number[] = [];
  /** For each instruction, how many values of its frame are on the stack before it. */
  readonly heights: number[] = [];
  readonly straights: Straight[] = [];
  /** For each instruction, which straight piece it lies in. */
  readonly straightOf: number[] = [];
  /** Whether it can be understood: it handles no exceptions, and no block takes values. */
  readonly isPlain: boolean;

  constructor(code: Uint8Array, type: FunctionType, typeOf: Types) {
    this.code = code;
    this.type = type;
    const reader = new Reader(code);
    this.locals = [...type.parameters, ...localsOf(reader).flatMap(({ count, type: local }) => Array.from({ length: count }, () => local))];
    this.start = reader.position;
    this.frames = [{ opcode: BLOCK, parent: 0, from: 0, to: 0, middle: undefined, results: type.results }];
    eachInstruction(code, this.start, (found) => this.instructions.push({ ...found, numbers: [...found.numbers] }));
    this.isPlain = !this.instructions.some((found) => isOfExceptions(found.opcode) || (OPENS.has(found.opcode) && !isSimple(found)));
    this.#straighten();
    if (this.isPlain) this.#trace(typeOf);
  }

  #straighten(): void {
    let from = 0;
    this.instructions.forEach(({ opcode }, index) => {
      this.straightOf.push(this.straights.length);
      if (!ENDS_STRAIGHT.has(opcode)) return;
      this.straights.push({ from, to: index + 1, next: [] });
      from = index + 1;
    });
  }

  /** The frame that a label means, seen from a frame. */
  labelled(frame: number, label: number): number {
    let found = frame;
    for (let left = label; left > 0; left--) found = (this.frames[found] as Frame).parent;
    return found;
  }

  /** The straight piece in which code goes on that branches to a frame; none behind the body. */
  target(frame: number): number | undefined {
    const { opcode, from, to } = this.frames[frame] as Frame;
    return this.straightOf[opcode === LOOP ? from : to + 1];
  }

  #trace(typeOf: Types): void {
    const open = [0];
    const heights = [0];
    const around = (): number => open.at(-1) as number;
    const grow = (by: number): void => void heights.push((heights.pop() as number) + by);
    const grown = ({ parameters, results }: FunctionType): void => grow(results.length - parameters.length);
    this.instructions.forEach((instruction, index) => {
      const { opcode, numbers } = instruction;
      this.frameOf.push(around());
      this.heights.push(heights.at(-1) as number);
      if (OPENS.has(opcode)) {
        if (opcode === IF) grow(-1);
        open.push(this.frames.length);
        const results = numbers[0] === EMPTY ? [] : [numbers[0] as number];
        this.frames.push({ opcode, parent: this.frameOf[index] as number, from: index + 1, to: 0, middle: undefined, results });
        heights.push(0);
      } else if (opcode === ELSE || opcode === END) {
        const frame = this.frames[around()] as Frame;
        heights.pop();
        if (opcode === ELSE) {
          frame.middle = index;
          heights.push(0);
        } else {
          frame.to = index;
          open.pop();
          if (open.length > 0) grow(frame.results.length);
        }
      } else if (LEAVES.has(opcode)) heights[heights.length - 1] = 0;
      else if (opcode === CALL) grown(typeOf.function(numbers[0] as number));
      else if (opcode === CALL_INDIRECT) {
        grow(-1);
        grown(typeOf.number(numbers[0] as number));
      } else grow(growth(instruction));
    });
    this.straights.forEach((straight, place) => (straight.next = this.#following(straight.to - 1, place)));
  }

  #following(last: number, place: number): number[] {
    const { opcode, numbers } = this.instructions[last] as Instruction;
    const frame = this.frameOf[last] as number;
    const targets = (labels: readonly number[]): number[] => labels.flatMap((label) => this.target(this.labelled(frame, label)) ?? []);
    const following = place + 1 < this.straights.length ? [place + 1] : [];
    if (opcode === BR || opcode === BR_TABLE) return targets(numbers);
    if (opcode === BR_IF) return [...targets(numbers), ...following];
    if (opcode === ELSE) return targets([0]);
    if (opcode === IF) {
      const { middle, to } = this.frames.find(({ from }) => from === last + 1) as Frame;
      return [...following, this.straightOf[(middle ?? to) + 1] as number];
    }
    return LEAVES.has(opcode) ? [] : following;
  }

  /** For each straight piece, the variables whose values something may read that comes after it begins. */
  needed(): Set<number>[] {
    const before = this.straights.map(() => new Set<number>());
    for (let changed = true; changed; ) {
      changed = false;
      for (let place = this.straights.length - 1; place >= 0; place--) {
        const found = this.neededFrom((this.straights[place] as Straight).from, before);
        if (found.size > (before[place] as Set<number>).size) {
          before[place] = found;
          changed = true;
        }
      }
    }
    return before;
  }

  /** The same before an instruction, of what is known for the pieces after it. */
  neededFrom(index: number, before: readonly ReadonlySet<number>[]): Set<number> {
    const straight = this.straights[this.straightOf[index] as number] as Straight;
    const found = new Set(straight.next.flatMap((next) => [...(before[next] as ReadonlySet<number>)]));
    for (let i = straight.to - 1; i >= index; i--) {
      const { opcode, numbers } = this.instructions[i] as Instruction;
      if (opcode === LOCAL_GET) found.add(numbers[0] as number);
      else if (opcode === LOCAL_SET || opcode === LOCAL_TEE) found.delete(numbers[0] as number);
    }
    return found;
  }
}

/** A module's functions: how many are imported, and of each that it defines, in their order, how it is read. */
export function flowsOf(wasm: Uint8Array): { imported: number; read: (() => Flow)[] } {
  const contents = new Map(sectionsOf(wasm).map(({ id, body }) => [id, body]));
  const section = (id: number): Uint8Array => contents.get(id) ?? Uint8Array.of(0);
  const types = typesIn(section(TYPE));
  const imports = importsIn(section(IMPORT)).filter(({ kind }) => kind === "function");
  const functions = [...imports, ...described(section(FUNCTION), "function")].map(({ type = 0 }) => types[type] as FunctionType);
  const typeOf: Types = { function: (which) => functions[which] as FunctionType, number: (which) => types[which] as FunctionType };
  const read = described(section(CODE), "code").map(({ bytes }, place) => () => {
    const reader = new Reader(bytes);
    return new Flow(reader.take(reader.number()), typeOf.function(imports.length + place), typeOf);
  });
  return { imported: imports.length, read };
}
