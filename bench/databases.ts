/**
 * The databases: what the ORM does most, on a Durable Object against native CPython with SQLite; and what it then sends to
 * D1, by a cursor of Django's against plain JavaScript.
 */
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Build, type Database } from "../packages/django-on-workers/dist/build/index.js";
import { manage, startLocal } from "../packages/django-on-workers/dist/build/local.js";
import { root } from "../scripts/lib/prepare.mjs";
import { loopNative, prepareNative, type Loop } from "./native.ts";
import { loopHere } from "./workerd.ts";

const RESET = "/reset/";

/** The page of each operation; it repeats the operation so often that what a request itself costs does not count. */
export const OPERATIONS = {
  one_row: "/measure/one_row/300/",
  thousand_rows: "/measure/thousand_rows/3/",
  bulk_create: "/measure/bulk_create/1/",
  thousand_gets: "/measure/thousand_gets/1/",
  admin_change_list: "/admin/records/record/",
} as const;
export type Operation = keyof typeof OPERATIONS;

async function built(database: Database, scratch: string, requirement: string): Promise<Build> {
  const folder = join(scratch, database);
  cpSync(join(root, "bench", "project"), folder, { recursive: true });
  writeFileSync(join(folder, "requirements.txt"), `${requirement}\n`);
  const found = await build({ root: folder, database });
  const output = { stdout: () => undefined, stderr: () => undefined };
  if ((await manage(found, ["migrate", "--verbosity", "0"], output)) !== 0) throw new Error(`migrate failed on ${database}.`);
  return found;
}

/** The loops of a Durable Object and of native CPython. */
export async function objectAndNative(scratch: string, requirement: string): Promise<{ here: Loop; there: Loop }> {
  const here = await loopHere(await built("durable-object", scratch, requirement));
  const there = loopNative(prepareNative(join(root, "bench", "project"), scratch, requirement, [["migrate"]]));
  return { here, there };
}

export async function reset(loop: Loop): Promise<void> {
  await loop.measure(RESET, 1);
}

/**
 * Notes the statements that an operation sends to D1, with their parameters, and repeats them: by a cursor of Django's, or
 * in JavaScript, where `all()` gives objects with the columns' names and `raw()` only values.
 */
const D1_LOOP = `import "./prepare.js";
import { createWorker } from "./runtime/django/worker.js";
import { artefacts } from "./artefacts.js";

const django = await createWorker(artefacts);
const notes = new Map();
/** Repeats, so that the request around the statements does not count. */
const timesOf = (statements) => Math.ceil(120 / statements.length);

function noting(db, noted) {
  return {
    prepare: (sql) => ({
      bind(...parameters) {
        const statement = db.prepare(sql).bind(...parameters);
        const note = (method) => (...options) => {
          noted.push({ sql, parameters, method, options });
          return statement[method](...options);
        };
        return { raw: note("raw"), all: note("all") };
      },
    }),
  };
}

async function ask(path, env, ctx, options) {
  const response = await django.fetch(new Request("http://localhost:8787" + path, options), env, ctx);
  if (response.status !== 200) throw new Error(path + " answered " + response.status);
}

async function all(db, statements) {
  for (const { sql, parameters } of statements) await db.prepare(sql).bind(...parameters).all();
}

/** By the methods that were noted: writes have no use for raw(). */
async function raw(db, statements) {
  for (const { sql, parameters, method, options } of statements) await db.prepare(sql).bind(...parameters)[method](...options);
}

export default {
  async fetch(incoming, env, ctx) {
    const { what, path, count } = await incoming.json();
    if (what === "note") {
      const noted = [];
      await ask(path, { ...env, DB: noting(env.DB, noted) }, ctx);
      notes.set(path, noted);
      await ask("/note/", env, ctx, { method: "POST", body: JSON.stringify(noted.map(({ sql, parameters }) => [sql, parameters])) });
    } else if (what === "all" || what === "raw") {
      const statements = notes.get(path);
      const send = what === "all" ? all : raw;
      for (let i = 0; i < count * timesOf(statements); i++) await send(env.DB, statements);
    } else if (what === "cursor") {
      for (let i = 0; i < count; i++) await ask("/replay/" + timesOf(notes.get(path)) + "/", env, ctx);
    } else {
      for (let i = 0; i < count; i++) await ask(path, env, ctx);
    }
    return new Response();
  },
};
`;

export interface D1Loops {
  /** The operations themselves. */
  orm: Loop;
  /** What they send, by a cursor and by JavaScript. */
  cursor: Loop;
  all: Loop;
  raw: Loop;
  /** Notes what an operation sends. */
  note(path: string): Promise<void>;
}

export async function d1Loops(scratch: string, requirement: string): Promise<D1Loops> {
  const worker = await startLocal(await built("d1", scratch, requirement), { entry: D1_LOOP });
  const ask = async (what: string, path: string, count = 1): Promise<void> => {
    const response = await worker.dispatchFetch("http://bench/", { method: "POST", body: JSON.stringify({ what, path, count }) });
    if (!response.ok) throw new Error(await response.text());
  };
  const loop = (what: string): Loop => ({
    async measure(path, count) {
      const started = performance.now();
      await ask(what, path, count);
      return (performance.now() - started) / 1000;
    },
    stop: () => worker.dispose(),
  });
  return { orm: loop("orm"), cursor: loop("cursor"), all: loop("all"), raw: loop("raw"), note: (path) => ask("note", path) };
}
