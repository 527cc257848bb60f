/**
 * The C library's local time, in the zone that Python's `time.tzset()` names.
 *
 * Emscripten takes JavaScript's zone, which is UTC on Workers, and lacks `tzset()`. Django sets it to the project's
 * TIME_ZONE: `datetime.now()` without a zone is the local time there.
 * https://github.com/emscripten-core/emscripten/blob/main/src/lib/libcore.js
 */

/** The zone is one for the whole process, as the C library has it. */
let formatter: Intl.DateTimeFormat | undefined;

/** Takes a zone of the tz database; false for a name that is none, which stands for UTC. */
export function setTimeZone(name: string): boolean {
  formatter = undefined;
  if (name === "" || name === "UTC") return name === "UTC";
  try {
    formatter = new Intl.DateTimeFormat("en-US", {
      timeZone: name,
      calendar: "gregory",
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
    });
    return true;
  } catch {
    return false;
  }
}

const EARLIEST = Date.UTC(1800, 0, 1);
const LATEST = Date.UTC(9999, 11, 30);

/** How far local time is ahead of UTC, in seconds, at a time in seconds. Before 1800 it is local mean time. */
function offsetAt(seconds: number): number {
  if (!formatter) return 0;
  const time = Math.min(Math.max(seconds * 1000, EARLIEST), LATEST);
  const parts = Object.fromEntries(formatter.formatToParts(time).map(({ type, value }) => [type, Number(value)])) as Record<string, number>;
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return (Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1000) * 1000) / 1000;
}

/** The first of January or of July. */
const inYear = (year: number, month: number): number => Date.UTC(year, month, 1) / 1000;

/** `struct tm` of musl: nine ints and the offset from UTC. */
function write(memory: WebAssembly.Memory, address: number, seconds: number): void {
  const offset = offsetAt(seconds);
  const date = new Date((seconds + offset) * 1000);
  const year = date.getUTCFullYear();
  const startOfYear = new Date(0);
  startOfYear.setUTCFullYear(year);
  const standard = Math.min(offsetAt(inYear(year, 0)), offsetAt(inYear(year, 6)));
  const fields = [
    date.getUTCSeconds(),
    date.getUTCMinutes(),
    date.getUTCHours(),
    date.getUTCDate(),
    date.getUTCMonth(),
    year - 1900,
    date.getUTCDay(),
    Math.floor((date.getTime() - startOfYear.getTime()) / 86_400_000),
    Number(offset > standard),
    offset,
  ];
  new Int32Array(memory.buffer, address, fields.length).set(fields);
}

/** What the wasm module imports in place of Emscripten's own functions. `memory` is there when it first calls. */
export function localTime(memory: () => WebAssembly.Memory): Record<string, (...args: never[]) => unknown> {
  return {
    _localtime_js(time: bigint, address: number): void {
      write(memory(), address >>> 0, Number(time));
    },
    _mktime_js(pointer: number): bigint {
      const address = pointer >>> 0;
      const [second = 0, minute = 0, hour = 0, day = 1, month = 0, years = 0, , , isDst = -1] = new Int32Array(memory().buffer, address, 9);
      const date = new Date(0);
      date.setUTCFullYear(years + 1900, month, day);
      date.setUTCHours(hour, minute, second);
      const local = date.getTime() / 1000;
      // What the clock shows comes twice, or never, around a change of the offset.
      const [before, after] = [offsetAt(local - 86_400), offsetAt(local + 86_400)];
      const earlier = local - Math.max(before, after);
      const later = local - Math.min(before, after);
      const fits = (time: number): boolean => time + offsetAt(time) === local;
      const time = fits(earlier) && (isDst !== 0 || !fits(later)) ? earlier : fits(later) ? later : local - before;
      write(memory(), address, time);
      return BigInt(time);
    },
  };
}
