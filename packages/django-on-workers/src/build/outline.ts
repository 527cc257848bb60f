/**
 * A wasm module in which functions hold no more than what is run of them, as a rule: V8 compiles a function as a whole
 * when it is first called, and half of what Python's are made of is for what seldom happens.
 *
 * Code of nested blocks branches only to where they end or begin, so what is never run is the rest of a block from some
 * instruction on. It becomes a function of its own. In its place stands a call that passes the variables which the rest
 * reads, takes back those which it changed, and goes on where the rest would have gone on.
 */
import { flowsOf, type Flow, type Frame, type FunctionType } from "./flow.ts";
import { BLOCK, BR, BR_IF, BR_TABLE, CALL, constant, EMPTY, END, get, I32_EQ, IF, LOCAL_GET, LOCAL_SET, LOCAL_TEE, LOOP, RETURN, UNREACHABLE, type Instruction } from "./instructions.ts";
import { BRANCH_HINT, CODE, concatenated, CUSTOM, described, FUNCTION, FUNCTION_TYPE, moduleOf, number, sectionsOf, sized, text, TYPE, typesIn, vector, withMore, type Bytes } from "./wasm.ts";

const I32 = 0x7f;
/** What a call costs besides its bytes, in bytes, by estimate: leaving less is not worth it. */
const GAIN = 16;

/** The rest of a block: its instructions, and the block's frame. */
interface Piece {
  from: number;
  to: number;
  frame: number;
}

/** Where a piece goes on: behind its block, or where a label leads, seen from that block; and the types of what it leaves on the stack for that. */
interface Exit {
  label: number | undefined;
  results: readonly number[];
}

/** A piece as a function of its own. */
interface Outlined extends Piece {
  type: FunctionType;
  /** Its entry of the code section. */
  body: Uint8Array;
  /** Variables of the function it was in that the call names. */
  named: readonly number[];
  /** The call. `renamed` says which number a variable has there, `scratch` has one for a purpose and a type. */
  call(which: number, renamed: (local: number) => number, scratch: (purpose: string, type: number) => number): number[];
}

const isOfLocal = ({ opcode }: Instruction): boolean => opcode === LOCAL_GET || opcode === LOCAL_SET || opcode === LOCAL_TEE;
const isCondition = ({ opcode }: Instruction): boolean => opcode === BR_IF || opcode === IF;
const opens = ({ opcode }: Instruction): boolean => opcode === BLOCK || opcode === LOOP || opcode === IF;
const set = (local: number): number[] => [LOCAL_SET, ...number(local)];
const bytesOf = ({ instructions }: Flow, { from, to }: Piece): number => (instructions[to] as Instruction).start - (instructions[from] as Instruction).start;

/** Variables of these types, in groups, as an entry of the code section begins. */
function declared(types: readonly number[]): Uint8Array {
  const groups: { type: number; count: number }[] = [];
  for (const type of types) {
    const last = groups.at(-1);
    if (last?.type === type) last.count++;
    else groups.push({ type, count: 1 });
  }
  return vector(groups.map(({ type, count }) => [...number(count), type]));
}

/** What is never run of a function: of blocks in each other the outermost, from where nothing of the block is on the stack. */
function unusedOf(flow: Flow, hasRun: (straight: number) => boolean): Piece[] {
  const found: Piece[] = [];
  const isIdle = (index: number): boolean => !hasRun(flow.straightOf[index] as number);
  for (let index = 0; index < flow.instructions.length; index++) {
    if (!isIdle(index)) continue;
    const frame = flow.frameOf[index] as number;
    const { to: last, middle } = flow.frames[frame] as Frame;
    const to = middle !== undefined && index <= middle ? middle : last;
    let from = index;
    while (from < to && (flow.frameOf[from] !== frame || flow.heights[from] !== 0)) from++;
    const rest = Array.from({ length: to - from }, (_, offset) => from + offset);
    if (rest.length > 0 && rest.every(isIdle)) found.push({ from, to, frame });
    index = to;
  }
  return found;
}

/** Labels of an instruction that lead out of the piece, seen from the piece's block, for each of its labels. `depth` blocks of the piece are around it. */
function leaving({ opcode, numbers }: Instruction, depth: number, outermost: number): (number | undefined)[] {
  if (opcode === RETURN) return [outermost];
  if (opcode !== BR && opcode !== BR_IF && opcode !== BR_TABLE) return [];
  return numbers.map((label) => (label < depth ? undefined : label - depth));
}

/** The instructions of a piece, each with how many of the piece's blocks are around it. */
function nested(flow: Flow, { from, to }: Piece): { instruction: Instruction; depth: number }[] {
  let depth = 0;
  return flow.instructions.slice(from, to).map((instruction) => {
    if (opens(instruction)) depth++;
    else if (instruction.opcode === END) depth--;
    return { instruction, depth };
  });
}

/** The exits of a piece, the one behind its block last, where nothing has to branch. Nothing, if something may leave it or stay, with a value. */
function exitsOf(flow: Flow, piece: Piece, outermost: number): Exit[] | undefined {
  const labels = new Set<number | undefined>();
  const resultsOf = (label: number): readonly number[] => {
    const { opcode, results } = flow.frames[flow.labelled(piece.frame, label)] as Frame;
    return opcode === LOOP ? [] : results;
  };
  for (const { instruction, depth } of nested(flow, piece)) {
    for (const label of leaving(instruction, depth, outermost)) {
      if (label === undefined) continue;
      if ((instruction.opcode === BR_IF || instruction.opcode === BR_TABLE) && resultsOf(label).length > 0) return undefined;
      labels.add(label);
    }
  }
  const exits: Exit[] = [...labels].map((label) => ({ label, results: resultsOf(label as number) }));
  const { opcode } = flow.instructions[piece.to - 1] as Instruction;
  if (![UNREACHABLE, BR, BR_TABLE, RETURN].includes(opcode)) exits.push({ label: undefined, results: (flow.frames[piece.frame] as Frame).results });
  return exits;
}

/** Makes a function of a piece; nothing, if a call can't go on as it does. `needed` has the variables that are read after each straight piece begins. */
function outlined(flow: Flow, piece: Piece, needed: readonly ReadonlySet<number>[]): Outlined | undefined {
  const { frame } = piece;
  /** The label of the function's own body. */
  let outermost = 0;
  for (let around = frame; around !== 0; around = (flow.frames[around] as Frame).parent) outermost++;
  const exits = exitsOf(flow, piece, outermost);
  if (!exits) return undefined;

  const code = nested(flow, piece);
  const variables = code.filter(({ instruction }) => isOfLocal(instruction)).map(({ instruction: { opcode, numbers } }) => ({ local: numbers[0] as number, isSet: opcode !== LOCAL_GET }));
  const named = [...new Set(variables.map(({ local }) => local))].sort((a, b) => a - b);
  const written = new Set(variables.filter(({ isSet }) => isSet).map(({ local }) => local));
  const before = flow.neededFrom(piece.from, needed);
  const after = new Set(
    exits.flatMap(({ label }) => {
      const target = label === undefined ? flow.straightOf[(flow.frames[frame] as Frame).to + 1] : flow.target(flow.labelled(frame, label));
      return target === undefined ? [] : [...(needed[target] as ReadonlySet<number>)];
    }),
  );
  const given = named.filter((local) => before.has(local));
  const own = named.filter((local) => !before.has(local));
  const changed = named.filter((local) => written.has(local) && after.has(local));
  const places = new Map([...given, ...own].map((local, place) => [local, place]));
  const placeOf = (local: number): number => places.get(local) as number;
  const typeOf = (local: number): number => flow.locals[local] as number;
  // A value that goes on with an exit has a variable, so that each exit can return all there are.
  const values = exits.flatMap(({ results }, exit) => results.map((type) => ({ type, exit })));
  const valueOf = (exit: number): number[] => values.flatMap((value, place) => (value.exit === exit ? [named.length + place] : []));
  const isOneOfMany = exits.length > 1;
  const type: FunctionType = { parameters: given.map(typeOf), results: [...(isOneOfMany ? [I32] : []), ...changed.map(typeOf), ...values.map((value) => value.type)] };

  // Around the code is a block for each exit with a label. Behind its end, the function returns that it was this one.
  const exitOf = (label: number): number => exits.findIndex((exit) => exit.label === label);
  const isBehind = exits.at(-1)?.label === undefined && exits.length > 0;
  const blocks = exits.length - Number(isBehind);
  const returning = (exit: number): number[] => [...(isOneOfMany ? constant(exit) : []), ...changed.flatMap((local) => get(placeOf(local))), ...values.flatMap((_, place) => get(named.length + place)), RETURN];
  const moved = code.map(({ instruction, depth }): Bytes => {
    const { opcode, numbers, start, end } = instruction;
    if (isOfLocal(instruction)) return [opcode, ...number(placeOf(numbers[0] as number))];
    const labels = leaving(instruction, depth, outermost);
    if (labels.every((label) => label === undefined)) return flow.code.subarray(start, end);
    const branches = labels.map((label, index) => (label === undefined ? (numbers[index] as number) : depth + exitOf(label)));
    if (opcode === BR_IF) return [opcode, ...number(branches[0] as number)];
    if (opcode === BR_TABLE) return [opcode, ...number(branches.length - 1), ...branches.flatMap(number)];
    return [...valueOf(exitOf(labels[0] as number)).toReversed().flatMap(set), BR, ...number(branches[0] as number)];
  });
  const body = concatenated(
    declared([...own.map(typeOf), ...values.map((value) => value.type)]),
    ...Array.from({ length: blocks }, () => [BLOCK, EMPTY]),
    ...moved,
    isBehind ? [...valueOf(blocks).toReversed().flatMap(set), ...returning(blocks)] : [],
    ...Array.from({ length: blocks }, (_, exit) => [END, ...returning(exit)]),
    [END],
  );

  const call: Outlined["call"] = (which, renamed, scratch) => {
    const scratchOf = values.map((value, place) => scratch(`value ${place}`, value.type));
    const chosen = isOneOfMany ? [scratch("exit", I32)] : [];
    const taken = [...chosen, ...changed.map(renamed), ...scratchOf].reverse().flatMap(set);
    const goingOn = exits.flatMap(({ label }, exit) => {
      const carried = values.flatMap((value, place) => (value.exit === exit ? get(scratchOf[place] as number) : []));
      if (label === undefined) return carried;
      if (exit === exits.length - 1) return [...carried, BR, ...number(label)];
      const asked = [...chosen.flatMap(get), ...constant(exit), I32_EQ];
      return carried.length === 0 ? [...asked, BR_IF, ...number(label)] : [...asked, IF, EMPTY, ...carried, BR, ...number(label + 1), END];
    });
    return [...given.map(renamed).flatMap(get), CALL, ...number(which), ...taken, ...(exits.length === 0 ? [UNREACHABLE] : goingOn)];
  };
  return { ...piece, type, body: sized(body), named: [...given, ...changed], call };
}

/** A function's entry of the code section, and where in it instructions are, counted from behind its size. */
interface Entry {
  bytes: Uint8Array;
  startOf: ReadonlyMap<Instruction, number>;
}

/** A function in which calls of functions from `first` on stand for its pieces, without variables that nothing names any more. */
function without({ code, type, locals, instructions }: Flow, pieces: readonly Outlined[], first: number): Entry {
  const ends = [0, ...pieces.map(({ to }) => to)];
  const kept = ends.flatMap((from, index): (Instruction | Outlined)[] => {
    const piece = pieces[index];
    return piece ? [...instructions.slice(from, piece.from), piece] : instructions.slice(from);
  });
  const named = new Set(type.parameters.keys());
  for (const found of kept) {
    if ("call" in found) for (const local of found.named) named.add(local);
    else if (isOfLocal(found)) named.add(found.numbers[0] as number);
  }
  const order = [...named].sort((a, b) => a - b);
  const places = new Map(order.map((local, place) => [local, place]));
  const renamed = (local: number): number => places.get(local) as number;
  const types = order.slice(type.parameters.length).map((local) => locals[local] as number);
  const scratches = new Map<string, number>();
  const scratch = (purpose: string, of: number): number => {
    const key = `${purpose} ${of}`;
    if (!scratches.has(key)) scratches.set(key, type.parameters.length + types.push(of) - 1);
    return scratches.get(key) as number;
  };
  let next = first;
  const parts = kept.map((found): Bytes => {
    if ("call" in found) return found.call(next++, renamed, scratch);
    return isOfLocal(found) ? [found.opcode, ...number(renamed(found.numbers[0] as number))] : code.subarray(found.start, found.end);
  });
  const head = declared(types);
  const startOf = new Map<Instruction, number>();
  let position = head.byteLength;
  kept.forEach((found, index) => {
    if (!("call" in found)) startOf.set(found, position);
    position += (parts[index] as Bytes).length;
  });
  return { bytes: sized(concatenated(head, ...parts)), startOf };
}

/** What is known of a function's conditions: where each is, and whether it holds. */
function hintsOf({ straights, instructions }: Flow, { holds }: Use, startOf: Entry["startOf"]): Uint8Array[] {
  return straights.flatMap(({ to }, straight) => {
    const last = instructions[to - 1] as Instruction;
    const start = startOf.get(last);
    const isHeld = isCondition(last) && start !== undefined ? holds(straight) : undefined;
    return isHeld === undefined ? [] : [concatenated(number(start as number), [1, Number(isHeld)])];
  });
}

/** The number of each type of functions, and those that had to be added for it. */
function numbering(types: readonly FunctionType[]): { added: number[][]; numberOf(type: FunctionType): number } {
  const bytesOf = ({ parameters, results }: FunctionType): number[] => [FUNCTION_TYPE, ...number(parameters.length), ...parameters, ...number(results.length), ...results];
  const known = new Map(types.map((type, index) => [bytesOf(type).join(), index]));
  const added: number[][] = [];
  return {
    added,
    numberOf(type) {
      const bytes = bytesOf(type);
      const found = known.get(bytes.join()) ?? types.length + added.push(bytes) - 1;
      known.set(bytes.join(), found);
      return found;
    },
  };
}

/** How a function runs, of its straight pieces by their places. */
export interface Use {
  /** Whether a piece runs. */
  hasRun(straight: number): boolean;
  /** Whether the condition of the `br_if` or `if` that a piece ends with holds as a rule, or does not, if either is known. */
  holds(straight: number): boolean | undefined;
}

/**
 * The module, with what its functions seldom run in functions of their own, behind all others, and with what is known of
 * conditions. `usedOf` is asked for the place of each function among those that the module defines, and has nothing for
 * one that stays as it is. A piece leaves only if its function loses `gain` bytes at least.
 */
export function outline(wasm: Uint8Array, usedOf: (place: number, read: () => Flow) => Use | undefined, gain = GAIN): Uint8Array {
  const sections = sectionsOf(wasm);
  const { imported, read } = flowsOf(wasm);
  const { added: types, numberOf } = numbering(typesIn(sections.find(({ id }) => id === TYPE)?.body ?? Uint8Array.of(0)));
  const added: Outlined[] = [];
  const hints: Uint8Array[] = [];
  const change = (bytes: Uint8Array, place: number): Uint8Array => {
    let found: Flow | undefined;
    const flowOf = (): Flow => (found ??= (read[place] as () => Flow)());
    const use = usedOf(place, flowOf);
    const flow = use && flowOf();
    if (!use || !flow?.isPlain) return bytes;
    const needed = flow.needed();
    const pieces = unusedOf(flow, use.hasRun)
      .flatMap((piece) => outlined(flow, piece, needed) ?? [])
      .filter((piece) => bytesOf(flow, piece) - piece.call(0, (local) => local, () => 0).length >= gain);
    const first = imported + read.length + added.length;
    added.push(...pieces);
    const entry = pieces.length > 0 ? without(flow, pieces, first) : { bytes, startOf: new Map(flow.instructions.map((found) => [found, found.start])) };
    const own = hintsOf(flow, use, entry.startOf);
    if (own.length > 0) hints.push(concatenated(number(imported + place), vector(own)));
    return entry.bytes;
  };
  const changed = new Map<number, (body: Uint8Array) => Uint8Array>([
    [CODE, (body) => withMore(vector(described(body, "code").map(({ bytes }, place) => change(bytes, place))), added.map(({ body: entry }) => entry))],
    [FUNCTION, (body) => withMore(body, added.map(({ type }) => number(numberOf(type))))],
    [TYPE, (body) => withMore(body, types)],
  ]);
  // Which types there have to be is known when all functions are.
  const bodies = new Map([...changed].map(([id, make]) => [id, make(sections.find((section) => section.id === id)?.body ?? Uint8Array.of(0))]));
  const hinting = hints.length > 0 ? [{ id: CUSTOM, body: concatenated(text(BRANCH_HINT), vector(hints)) }] : [];
  return moduleOf(sections.flatMap(({ id, body }) => [...(id === CODE ? hinting : []), { id, body: bodies.get(id) ?? body }]));
}
