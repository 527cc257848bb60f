/** The interpreter's life: starts from an image, writes to the console, dies and comes back. */
import assert from "node:assert/strict";
import { pbkdf2Sync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { EACH, combinations, startBehaviour, VARIABLES } from "../support/behaviour.ts";
import { json, send } from "../support/http.ts";
import { root } from "../support/project.ts";
import { logged, serve } from "../support/worker.ts";

combinations(EACH, (database, kind) => {
  let site: Awaited<ReturnType<typeof startBehaviour>>;
  before(async () => {
    site = await startBehaviour(database, kind);
  });
  after(() => site?.stop());

  test("a stock database is bound, and the log says so", async () => {
    await send(site.url, "/status/200/");
    const where = database === "d1" ? "D1 binding DB" : "Durable Object's storage";
    assert.ok(site.logs.some(({ message }) => message.includes("DATABASES['default']") && message.includes(where)), JSON.stringify(site.logs));
  });

  test("modules, templates and catalogues that nobody has asked for yet are there", async () => {
    assert.equal((await send(site.url, "/late/?language=fr")).text.trim(), "A part.\n Bonjour à tous".trim());
    assert.equal((await send(site.url, "/late/")).text.trim(), "A part.\n Good morning".trim());
  });

  test("the current folder is the project's", async () => {
    const fixture = readFileSync(join(root, "tests", "projects", "behaviour", "things", "fixtures", "three.json"), "utf8");
    assert.equal((await send(site.url, "/relative/")).text, fixture);
  });

  test("print and logging reach the console with their levels", async () => {
    site.logs.length = 0;
    await send(site.url, "/log/");
    assert.ok(await logged(site, /a printed line|record|nobody handles/, 6), JSON.stringify(site.logs));
    const level = (text: string): string | undefined => site.logs.find(({ message }) => message.includes(text))?.level;
    assert.deepEqual(
      ["a printed line", "a debug record", "an info record", "a warning record", "an error record", "an error that nobody handles"].map(level),
      ["log", "debug", "info", "warn", "error", "error"],
    );
    assert.equal(site.logs.length, 6, JSON.stringify(site.logs));
  });

  test("an unhandled exception is logged once with its traceback, DEBUG off, and not shown", async () => {
    site.logs.length = 0;
    const { status, text } = await send(site.url, "/broken/");
    assert.ok(await logged(site, /distinctive-failure/), JSON.stringify(site.logs));
    assert.equal(status, 500);
    assert.ok(!text.includes("distinctive-failure"));
    const told = site.logs.filter(({ message }) => message.includes("ValueError: distinctive-failure"));
    assert.equal(told.length, 1, JSON.stringify(site.logs));
    assert.match(told[0]?.message ?? "", /Traceback[^]*things\/views\.py", line \d+, in broken/);
    assert.equal(told[0]?.level, "error");
  });

  test("Django reports an error in a package whose source is not there", async () => {
    const { status, text } = await send(site.url, "/report/");
    assert.equal(status, 200);
    assert.match(text, /Reverse for &#x27;no-such-name&#x27; not found/);
    assert.match(text, /things\/views\.py[^]*reverse\(&quot;no-such-name&quot;\)/);
    assert.match(text, /\/packages\/django\/urls\/resolvers\.py/);
  });

  test("a hash of CPython's is accepted, and one made here is one of CPython's", async () => {
    const hash = `pbkdf2_sha256$5000$salt$${pbkdf2Sync("päss word", "salt", 5000, 32, "sha256").toString("base64")}`;
    const found = await json(site.url, `/password/?hash=${encodeURIComponent(hash)}`);
    assert.deepEqual([found.given, found.wrong, found.own], [true, false, true]);
    const [algorithm, iterations, salt, digest] = (found.made as string).split("$");
    assert.equal(algorithm, "pbkdf2_sha256");
    assert.equal(pbkdf2Sync("päss word", salt ?? "", Number(iterations), 32, "sha256").toString("base64"), digest);
  });

  for (const how of ["abort", "exit"]) {
    test(`an interpreter that ends (${how}) costs one answer`, async () => {
      const { status } = await send(site.url, `/trap/?how=${how}`);
      assert.equal(status, 500);
      assert.equal((await send(site.url, "/status/200/")).text, "status 200");
      assert.equal((await json(site.url, "/settings/")).SECRET_KEY, VARIABLES.SECRET_KEY);
    });
  }

  test("requests beside one that ends the interpreter are answered", async () => {
    const answers = await Promise.all([
      ...Array.from({ length: 10 }, (_, number) => send(site.url, `/isolation/?number=${number}`)),
      send(site.url, "/trap/?how=abort"),
    ]);
    for (const { status } of answers) assert.ok(status === 200 || status === 500);
    assert.equal((await send(site.url, "/status/200/")).text, "status 200");
  });

  test("a lock that a request does not let go of is given up, and the next requests have another interpreter", async () => {
    const { text: before } = await send(site.url, "/interpreter/");
    const holder = json(site.url, "/locks-long/");
    while (!(await json(site.url, "/locks-taken/"))["taken"]);
    const waiting = await Promise.all([1, 2].map(() => send(site.url, "/locks/Lock/")));
    assert.deepEqual(waiting.map(({ status }) => status), [500, 500]);
    assert.ok(await logged(site, /RuntimeError: Another request has held this lock for a minute/, 2), JSON.stringify(site.logs));
    assert.deepEqual(await json(site.url, "/locks/Lock/"), { inside: 1 });
    assert.notEqual((await send(site.url, "/interpreter/")).text, before);
    assert.deepEqual(await holder, { held: true });
  });

  test("randomness differs from one start to the next", async () => {
    const first = await json<Record<string, unknown>>(site.url, "/random/");
    await site.stop();
    site = { build: site.build, ...(await serve(site.build)) };
    const second = await json<Record<string, unknown>>(site.url, "/random/");
    for (const name of ["random", "secrets", "uuid", "shared"]) assert.notEqual(first[name], second[name], name);
  });

  test("what is given to a pool of threads is done at once", async () => {
    assert.deepEqual(await json(site.url, "/pool/"), {
      found: [6, 12],
      mapped: [4, 3],
      failed: "ZeroDivisionError",
      closed: "cannot schedule new futures after shutdown",
      initialized: true,
    });
  });

  test("every adaptation still fits what it adapts", async () => {
    const { problems } = await json(site.url, "/adaptations/");
    assert.ok(Object.keys(problems).length > 5);
    for (const [name, found] of Object.entries(problems)) assert.deepEqual(found, [], name);
  });
});
