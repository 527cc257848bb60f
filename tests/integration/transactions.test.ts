/** atomic() on a Durable Object: held open while the view waits, nested, rolled back, beside others. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ALL, combinations, startBehaviour } from "../support/behaviour.ts";
import { json, open, send } from "../support/http.ts";
import { managed, serve } from "../support/worker.ts";

combinations(
  ALL.filter(([database]) => database === "durable-object"),
  (database, kind) => {
    let site: Awaited<ReturnType<typeof startBehaviour>>;
    before(async () => {
      site = await startBehaviour(database, kind);
      await site.stop();
      await managed(site.build, "shell", "--no-imports", "-c", "from things.models import Thing; Thing.objects.create(name='account')");
      site = { build: site.build, ...(await serve(site.build)) };
    });
    after(() => site?.stop());

    for (const [how, expected] of Object.entries({
      commit: ["commit-outer"],
      nested: ["nested-outer", "nested-after"],
      rollback: [],
      marked: [],
    })) {
      test(how, async () => {
        assert.deepEqual((await json(site.url, `/transaction/${how}/`)).names, expected);
      });
    }

    test("thirty at once, a third of them rolled back, lose nothing and keep nothing", async () => {
      const numbers = Array.from({ length: 30 }, (_, number) => number);
      const answers = await Promise.all(numbers.map((number) => send(site.url, `/transfer/?number=${number}`)));
      answers.forEach(({ text }, number) => assert.equal(text, number % 3 === 0 ? "rolled back" : "committed"));
      const things = await json<{ name: string; amount: number }[]>(site.url, "/things/");
      assert.equal(things.find(({ name }) => name === "account")?.amount, 20 * 11);
      const kept = things.filter(({ name }) => name.startsWith("transfer-")).map(({ name }) => Number(name.slice(9)));
      assert.deepEqual(kept.sort((a, b) => a - b), numbers.filter((number) => number % 3 !== 0));
    });

    test("a client that leaves inside a transaction leaves the object usable", async () => {
      const incoming = open(site.url, "/transfer/?number=100");
      const leaving = open(site.url, "/transfer/?number=101");
      leaving.catch(() => undefined);
      (await incoming).destroy();
      (await leaving).destroy();
      assert.deepEqual((await json(site.url, "/transaction/nested/")).names, ["nested-outer", "nested-after"]);
    });

    test("an interpreter that dies inside a transaction takes it back", async () => {
      const { status } = await send(site.url, "/transaction/trapped/");
      assert.equal(status, 500);
      const things = await json<{ name: string }[]>(site.url, "/things/");
      assert.equal(things.some(({ name }) => name.startsWith("trapped-")), false);
      assert.deepEqual((await json(site.url, "/transaction/commit/")).names, ["commit-outer"]);
    });
  },
);
