/** Local time against Node's own, which takes the zone from TZ. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { localTime, setTimeZone } from "../src/runtime/python/local-time.ts";

const memory = new WebAssembly.Memory({ initial: 1 });
const { _localtime_js: localtime, _mktime_js: mktime } = localTime(() => memory) as unknown as {
  _localtime_js(time: bigint, address: number): void;
  _mktime_js(address: number): bigint;
};
const ADDRESS = 64;
const fields = (): number[] => [...new Int32Array(memory.buffer, ADDRESS, 10)];

const original = process.env["TZ"];
after(() => void (original === undefined ? delete process.env["TZ"] : (process.env["TZ"] = original)));

const ZONES = ["America/Chicago", "Africa/Nairobi", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Dublin", "UTC"];

test("the fields of a time, and the time of the fields, in zones of every kind", () => {
  for (const zone of ZONES) {
    process.env["TZ"] = zone;
    assert.ok(setTimeZone(zone));
    for (let time = Date.UTC(1975, 0, 1) / 1000; time < Date.UTC(2037, 0, 1) / 1000; time += 2_345_677) {
      const date = new Date(time * 1000);
      localtime(BigInt(time), ADDRESS);
      const expected = [date.getSeconds(), date.getMinutes(), date.getHours(), date.getDate(), date.getMonth(), date.getFullYear() - 1900, date.getDay()];
      assert.deepEqual(fields().slice(0, 7), expected, `${zone} ${date.toISOString()}`);
      assert.equal(fields()[9], 0 - date.getTimezoneOffset() * 60);
      assert.equal(mktime(ADDRESS), BigInt(time), `${zone} ${date.toISOString()}`);
    }
  }
});

test("days of the year and daylight saving", () => {
  setTimeZone("America/Chicago");
  localtime(BigInt(Date.UTC(2024, 11, 31, 12) / 1000), ADDRESS);
  assert.deepEqual(fields().slice(7, 9), [365, 0]);
  localtime(BigInt(Date.UTC(2024, 6, 1, 12) / 1000), ADDRESS);
  assert.deepEqual(fields().slice(7, 9), [182, 1]);
});

test("an hour that comes twice is the one that tm_isdst says, and one that never comes is moved", () => {
  setTimeZone("America/Chicago");
  const at = (isDst: number, day: number, month: number): bigint => {
    new Int32Array(memory.buffer, ADDRESS, 9).set([0, 30, month === 10 ? 1 : 2, day, month, 124, 0, 0, isDst]);
    return mktime(ADDRESS);
  };
  assert.equal(at(1, 3, 10), BigInt(Date.UTC(2024, 10, 3, 6, 30) / 1000));
  assert.equal(at(0, 3, 10), BigInt(Date.UTC(2024, 10, 3, 7, 30) / 1000));
  assert.equal(at(-1, 10, 2), BigInt(Date.UTC(2024, 2, 10, 8, 30) / 1000));
});

test("years that JavaScript has other ideas about, and names that are no zone", () => {
  setTimeZone("Africa/Nairobi");
  localtime(-62_135_596_800n, ADDRESS);
  assert.equal(fields()[5], 1 - 1900);
  assert.equal(setTimeZone("Nowhere/At_All"), false);
  localtime(0n, ADDRESS);
  assert.deepEqual(fields().slice(0, 6), [0, 0, 0, 1, 0, 70]);
});
