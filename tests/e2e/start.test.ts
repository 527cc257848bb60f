/** `npm start`: serves the example, keeps what was entered, and ends with everything that it began. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { freePort, run, serving } from "../support/command.ts";
import { Visitor } from "../support/http.ts";
import { copyProject, giveShared, root } from "../support/project.ts";

const script = join(root, "scripts", "start.mjs");
const linux = process.platform === "linux" ? false : "processes are listed by /proc, which only Linux has";

/** Processes that carry the variable in their environment: all that a start began. */
function marked(mark: string): number[] {
  return readdirSync("/proc").map(Number).filter((id) => {
    try {
      return readFileSync(`/proc/${id}/environ`, "utf8").includes(`MARK=${mark}`) && !/\) Z /.test(readFileSync(`/proc/${id}/stat`, "utf8"));
    } catch {
      return false;
    }
  });
}

describe("npm start", { skip: linux }, () => {
  for (const database of ["durable-object", "d1"] as const) {
    test(`fills the example once, keeps what was entered, and leaves nothing running: ${database}`, async () => {
      const folder = copyProject("blog", `start-${database}`, join(root, "examples", "blog"));
      const args = [script, "--project", folder, "--database", database];
      let password: string | undefined;
      for (const [time, signal] of [["first", "SIGTERM"], ["second", "SIGINT"], ["third", "SIGKILL"]] as const) {
        const port = await freePort();
        const mark = `${database}-${time}-${process.pid}`;
        const server = await serving(process.execPath, args, root, port, { PORT: String(port), MARK: mark });
        giveShared(folder);
        const visitor = new Visitor(server.url);
        while (!server.output().includes("Ctrl-C")) await setTimeout(50);
        const [, name = "", shown = ""] = /name (\w+), password (\S+)/.exec(server.output()) ?? [];
        assert.equal(shown, password ?? shown);
        password = shown;
        const entered = await visitor.post("/admin/login/?next=/admin/", { username: name, password });
        assert.equal(entered.status, 302, entered.text);
        const posts = JSON.parse((await visitor.get("/api/posts/")).text) as { count: number };
        assert.ok(posts.count > 20);
        if (time === "first") {
          assert.match(server.output(), /Loading the demo data/);
          assert.equal((await visitor.post("/admin/blog/tag/add/", { name: "Entered", slug: "entered", description: "" })).status, 302);
        } else {
          assert.doesNotMatch(server.output(), /Loading the demo data|Applying|Creating/);
          assert.match((await visitor.get("/admin/blog/tag/")).text, />Entered</);
        }
        await server.stop(signal);
        while (marked(mark).length > 0) await setTimeout(100);
      }
    });
  }

  test("says at once that its port is taken", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    after(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { status, stderr } = await run(process.execPath, [script], root, { PORT: String(port) });
    assert.equal(status, 1);
    assert.match(stderr, new RegExp(`^✘ Port ${port} is taken\\. Stop what listens there, or choose another with --port or PORT\\. \\(DOW_PORT_TAKEN\\)\\n$`));
  });

  test("says what is missing on a machine without Python", async () => {
    const { status, stderr } = await run(process.execPath, [script], root, { PATH: "/nowhere" });
    assert.equal(status, 1);
    assert.match(stderr, /^✘ There is no Python 3\.11 or later \(python3\) and no uv: install one of them, see .*\n$/);
  });
});
