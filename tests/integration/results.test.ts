/** Results of many rows: in bounded memory, beside other queries and writes, and given up half-way. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { EACH, combinations, startBehaviour } from "../support/behaviour.ts";
import { json } from "../support/http.ts";

interface Iterated {
  count: number;
  total: number;
  seen: number[];
  memory: number;
}

const FEW = 20_000;
const MANY = 200_000;
/** What Python would need for all rows at once is some 70 MB. */
const ROOM = 8 * 2 ** 20;

combinations(EACH, (database, kind) => {
  let site: Awaited<ReturnType<typeof startBehaviour>>;
  before(async () => {
    site = await startBehaviour(database, kind);
  });
  after(() => site?.stop());

  /** Rows that other queries of the loop change are read already, so nothing that it reads is missing. */
  function complete({ count, total, seen }: Iterated, rows: number): void {
    assert.equal(count, rows);
    assert.equal(total, (rows * (rows + 1)) / 2);
    // One row less is there for each that was deleted; the ones set to nought are still counted.
    const expected = Array.from({ length: rows / 10_000 }, (_, turn) => [(turn + 1) * 10_000 - turn, rows, rows - 1]);
    const last = expected.at(-1) as number[];
    [last[1], last[2]] = [0, rows - 2];
    assert.deepEqual(seen, expected.flat());
  }

  test("a loop over many rows takes no more memory than one over few, and writes on the way lose none", async () => {
    await json(site.url, `/results/fill/?rows=${FEW}`);
    const few = await json<Iterated>(site.url, "/results/iterate/");
    complete(few, FEW);
    await json(site.url, `/results/fill/?rows=${MANY}`);
    const many = await json<Iterated>(site.url, "/results/iterate/");
    complete(many, MANY);
    assert.ok(many.memory - few.memory < ROOM, `${few.memory} bytes after ${FEW} rows, ${many.memory} after ${MANY}`);
  });

  test("integers that JavaScript rounds are exact wherever they come, and none is missing", async () => {
    await json(site.url, `/results/fill/?rows=${FEW}`);
    const { in_order, small, large } = await json(site.url, `/results/late/?after=${FEW - 300}`);
    assert.ok(in_order);
    assert.equal(small, FEW - 300);
    assert.deepEqual(large, Array.from({ length: 300 }, (_, index) => FEW - 299 + index));
  });

  test("a result that is given up half-way stands in nobody's way", async () => {
    await json(site.url, `/results/fill/?rows=${FEW}`);
    const found = await json(site.url, "/results/abandon/?at=9000");
    assert.deepEqual(found, { at: 9000, first: ["1".padStart(100, "0")], pieces: [7000, 1, FEW - 7001, 0] });
    await json(site.url, "/results/leave/");
    assert.deepEqual(await json(site.url, "/results/abandon/?at=9000"), found);
  });
});
