import assert from "node:assert/strict";
import { test } from "node:test";
import type { Booted } from "../src/runtime/python/boot.ts";
import { Interpreter } from "../src/runtime/python/interpreter.ts";
import type { PyProxy } from "../src/runtime/python/pyodide.ts";

const MINUTE = 60_000;

function interpreter(): { interpreter: Interpreter; collections: () => number } {
  let collections = 0;
  const booted = { module: { API: { scheduleCallback: () => assert.fail("A call waited for the event loop.") } } } as unknown as Booted;
  const made = new Interpreter(booted);
  made.collectWith((() => void collections++) as unknown as PyProxy);
  return { interpreter: made, collections: () => collections };
}

const callable = (answer: () => Promise<unknown>): PyProxy => ({ callPromising: answer }) as unknown as PyProxy;
const quick = callable(async () => undefined);

test("garbage is collected when nothing is in flight", async () => {
  const { interpreter: python, collections } = interpreter();
  for (let i = 0; i < 64; i++) await python.enter(quick);
  assert.equal(collections(), 8);
});

test("a call that never ends delays few others, and wears the interpreter out", async (t) => {
  t.mock.timers.enable({ apis: ["Date", "setTimeout"] });
  const { interpreter: python, collections } = interpreter();
  void python.enter(callable(() => new Promise(() => undefined)));
  let waits = 0;
  for (let i = 0; i < 3000; i++) {
    let ended = false;
    const call = python.enter(quick).then(() => (ended = true));
    for (let ticks = 0; ticks < 20 && !ended; ticks++) await Promise.resolve();
    if (!ended) waits++;
    while (!ended) {
      t.mock.timers.tick(1);
      for (let ticks = 0; ticks < 20 && !ended; ticks++) await Promise.resolve();
    }
    await call;
  }
  assert.ok(waits > 0 && waits < 10, `${waits} calls waited`);
  assert.equal(collections(), 0);
  assert.equal(python.worn, false);
  t.mock.timers.tick(MINUTE);
  assert.equal(python.worn, true);
});
