/** What Django promises of atomic(), on a Durable Object. */
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { createServer, request as start, type ClientRequest, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { startBehaviour, VARIABLES, writeVariables } from "../support/behaviour.ts";
import { json, open, send } from "../support/http.ts";
import { buildProject, copyProject } from "../support/project.ts";
import { managed, serve, type Running } from "../support/worker.ts";

/** A server at which requests of the project wait, by name, until they are let go on. */
class Gates {
  readonly #server = createServer((request, response) => this.#arrive(request.url?.slice(1) ?? "", response));
  readonly #waiting = new Map<string, PromiseWithResolvers<ServerResponse>>();
  readonly arrivals: string[] = [];
  url = "";

  async start(): Promise<void> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  arrived(name: string): Promise<ServerResponse> {
    let found = this.#waiting.get(name);
    if (!found) this.#waiting.set(name, (found = Promise.withResolvers()));
    return found.promise;
  }

  async open(name: string): Promise<void> {
    (await this.arrived(name)).end("open");
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #arrive(name: string, response: ServerResponse): void {
    this.arrivals.push(name);
    void this.arrived(name);
    this.#waiting.get(name)?.resolve(response);
  }
}

interface Names {
  names: string[];
}

for (const kind of ["wsgi", "asgi"] as const) {
  describe(kind, () => {
    const gates = new Gates();
    let site: Running;
    before(async () => {
      await gates.start();
      site = await startBehaviour("durable-object", kind);
    });
    after(async () => {
      gates.stop();
      await site?.stop();
    });
    const seen = async (prefix: string): Promise<string[]> => (await json<Names>(site.url, `/blocks/seen/?prefix=${prefix}`)).names;
    const gated = (path: string): Promise<Names> => json<Names>(site.url, `${path}&gates=${encodeURIComponent(gates.url)}`);

    test("a failed statement breaks the block until its end", async () => {
      assert.deepEqual(await json(site.url, "/blocks/broken/"), {
        needs_rollback: true,
        refused: "An error occurred in the current transaction. You can't execute queries until the end of the 'atomic' block.",
        usable: true,
        names: [],
      });
    });

    test("savepoints, nested and by hand", async () => {
      assert.deepEqual(
        (await json<Names>(site.url, "/blocks/savepoints/")).names,
        ["1", "2", "2-after", "1-after", "kept", "again", "raw-1"].map((name) => `savepoints-${name}`),
      );
    });

    test("a durable block is an outermost one", async () => {
      const { refused, names } = await json(site.url, "/blocks/durable/");
      assert.match(refused, /durable atomic block cannot be nested/);
      assert.deepEqual(names, ["durable-outer"]);
    });

    test("on_commit runs after the commit, and not after a rollback", async () => {
      assert.deepEqual(await json(site.url, "/blocks/on_commit/"), {
        calls: [["end of block", true], ["first", false], ["nested", false]],
        names: ["on_commit-from-hook"],
      });
    });

    test("select_for_update: thirty at once read and write in turns", async () => {
      const answers = await Promise.all(Array.from({ length: 30 }, () => send(site.url, "/blocks/locked/")));
      const numbers = answers.map(({ text }) => Number(text)).sort((a, b) => a - b);
      assert.deepEqual(numbers, Array.from({ length: 30 }, (_, index) => index + 1));
    });

    test("a block waits for timers, storage and the network", async () => {
      const answer = gated(`/blocks/waits/?url=${encodeURIComponent(`${gates.url}/waits`)}`);
      await gates.open("waits");
      assert.deepEqual(await answer, { stored: "stored", text: "open", names: ["waits-1", "waits-2"] });
    });

    test("nothing of another request gets into a block, or between its statements", async () => {
      const beside = gated("/blocks/beside/?number=1");
      await gates.arrived("beside-1-1");
      const held = gated("/blocks/held/?number=1&fail=1");
      await gates.arrived("held-1-1");
      // The other request could go on, and a third comes; both wait for the block.
      await gates.open("beside-1-1");
      const third = gated("/blocks/held/?number=2");
      await gates.open("held-1-1");
      await gates.arrived("held-1-2");
      assert.deepEqual(gates.arrivals.slice(-3), ["beside-1-1", "held-1-1", "held-1-2"]);
      await gates.open("held-1-2");
      await Promise.all(["beside-1-2", "held-2-1", "held-2-2"].map((name) => gates.open(name)));
      assert.deepEqual((await held).names, []);
      assert.deepEqual((await beside).names, ["beside-1-1", "beside-1-2", "beside-1-3"]);
      assert.deepEqual((await third).names, ["held-2-1", "held-2-2"]);
    });

    const waiting = async (number: number): Promise<ClientRequest> => {
      const { hostname, port } = new URL(site.url);
      const client = start({ hostname, port, path: `/blocks/held/?number=${number}&gates=${encodeURIComponent(gates.url)}` });
      client.on("error", () => undefined);
      client.end();
      await gates.arrived(`held-${number}-1`);
      return client;
    };

    test("a client that goes away takes its block back at once, and others go on", async () => {
      const client = await waiting(4);
      client.socket?.resetAndDestroy();
      // Its view waits still.
      assert.deepEqual(await seen("held-4-"), []);
      assert.equal((await send(site.url, "/blocks/locked/")).status, 200);
      await gates.open("held-4-1");
      const told = (): boolean => site.logs.some(({ message }) => message.includes("OperationalError: This transaction has been rolled back: the client went away while it was open."));
      while (!told()) await new Promise((done) => setTimeout(done, 10));
      assert.deepEqual(await seen("held-4-"), []);
      assert.ok(!gates.arrivals.includes("held-4-2"));
    });

    test("a client that only closes its side of the connection may be waiting, and its block goes on", async () => {
      const client = await waiting(3);
      client.socket?.end();
      await Promise.all(["held-3-1", "held-3-2"].map((name) => gates.open(name)));
      assert.deepEqual(await seen("held-3-"), ["held-3-1", "held-3-2"]);
    });

    if (kind === "wsgi") {
      test("a client that leaves a stream rolls back the block behind it", async () => {
        const incoming = await open(site.url, "/blocks/streamed/");
        await new Promise((done) => incoming.once("data", done));
        incoming.destroy();
        assert.deepEqual(await seen("streamed-"), []);
      });

      for (const how of ["nested", "commit"]) {
        test(`a block that takes too long is rolled back and says so, and others go on (${how})`, async () => {
          const slow = json(site.url, `/blocks/slow/?how=${how}`);
          const others = Promise.all(Array.from({ length: 5 }, () => send(site.url, "/blocks/locked/")));
          const { refused, names } = await slow;
          assert.equal(refused.length, 1);
          assert.match(refused[0], /^This transaction has been rolled back: it was open for 29 seconds, .* outside atomic\(\)\.$/);
          assert.deepEqual(names, [`slow-${how}-after`]);
          for (const { status } of await others) assert.equal(status, 200);
        });
      }
    }
  });
}

describe("ATOMIC_REQUESTS", () => {
  let site: Running;
  before(async () => {
    const folder = copyProject("behaviour", "behaviour-atomic-requests");
    writeVariables(folder, VARIABLES);
    appendFileSync(join(folder, "config", "settings.py"), '\nDATABASES["default"]["ATOMIC_REQUESTS"] = True\n');
    const built = await buildProject(folder, { database: "durable-object", interface: "wsgi" });
    await managed(built, "migrate");
    site = await serve(built);
  });
  after(() => site?.stop());

  test("an exception in a view takes back what it wrote; a view that opted out keeps it", async () => {
    assert.deepEqual(await json(site.url, "/blocks/whole_request/?how=works"), { in_block: true, names: ["request-works"] });
    assert.equal((await send(site.url, "/blocks/whole_request/?how=fails")).status, 500);
    assert.deepEqual(await json(site.url, "/blocks/outside/"), { in_block: false, names: ["request-works", "request-outside"] });
  });

  test("an interpreter that dies inside a view takes back what it wrote", async () => {
    assert.equal((await send(site.url, "/transaction/trapped/")).status, 500);
    assert.deepEqual((await json<Names>(site.url, "/blocks/seen/?prefix=trapped-")).names, []);
  });
});
