/** When a transaction of the storage is opened; what it does is tested in workerd. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { TransactionStack } from "../src/runtime/bindings/transactions.ts";

let opened: number;
const storage = {
  transaction(callback: (transaction: { rollback(): void }) => Promise<void>): Promise<void> {
    opened++;
    return callback({ rollback() {} });
  },
};

beforeEach(() => {
  opened = 0;
  mock.timers.enable({ apis: ["Date", "setTimeout"] });
});
afterEach(() => mock.timers.reset());

/** Lets everything happen that waits for no timer. */
const settle = () => new Promise((done) => setImmediate(done));

test("after a second of running code the platform looks at its clock before a transaction's 30 seconds begin", async () => {
  const stack = new TransactionStack(storage);
  mock.timers.setTime(1_500);
  const begun = stack.begin();
  await settle();
  assert.equal(opened, 0);
  mock.timers.tick(1);
  await begun;
  assert.equal(opened, 1);
});

test("a transaction at once, and savepoints at any time, wait for nothing", async () => {
  const stack = new TransactionStack(storage);
  await stack.begin();
  mock.timers.setTime(1_500);
  await stack.begin();
  assert.equal(opened, 2);
  await stack.commit(0);
});
