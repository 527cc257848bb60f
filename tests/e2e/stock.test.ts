/** What startproject writes, unedited, with the packed archive of this package, as a user would install it. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { environment } from "../../scripts/lib/venv.mjs";
import { freePort, ran, serving, withNewNode, wrangler } from "../support/command.ts";
import { send, Visitor } from "../support/http.ts";
import { emptyProject, filesBelow, giveShared, root, work } from "../support/project.ts";

/** The text of every file that startproject wrote. */
const texts = (folder: string): Record<string, string> => Object.fromEntries([join(folder, "manage.py"), ...filesBelow(join(folder, "mysite"))].map((path) => [path, readFileSync(path, "utf8")]));

describe("what django-admin startproject writes", () => {
  const folder = emptyProject("stock");
  let written: Record<string, string>;

  before(async () => {
    const python = environment("django-5.2", ["Django==5.2.*", "tzdata"]);
    await ran(python, ["-m", "django", "startproject", "mysite", folder], folder);
    written = texts(folder);
    const packed = join(work, "packed");
    rmSync(packed, { recursive: true, force: true });
    mkdirSync(packed);
    const archive = (await ran("npm", ["pack", "--silent", "--pack-destination", packed], join(root, "packages", "django-on-workers"))).trim();
    await ran("npm", ["init", "--yes"], folder);
    await ran("npm", ["install", "--no-audit", "--no-fund", "--prefer-offline", join(packed, archive)], folder);
  });

  for (const database of ["durable-object", "d1"] as const) {
    test(`builds, migrates, and its admin adds a user, unedited: ${database}`, async () => {
      const npx = (...args: string[]) => ran("npx", ["--no-install", "django-on-workers", ...args], folder, { DJANGO_SUPERUSER_PASSWORD: "correct horse" });
      const built = await npx("build", "--database", database);
      assert.match(built, /^total +\d/m);
      giveShared(folder);
      await npx("manage", "--database", database, "migrate");
      await npx("manage", "--database", database, "createsuperuser", "--noinput", "--username", "ada", "--email", "ada@example.com");

      const port = await freePort();
      const server = await serving(process.execPath, [wrangler(folder), "dev", "--ip", "127.0.0.1", "--port", String(port)], folder, port, { PATH: withNewNode() });
      try {
        assert.match((await send(server.url, "/")).text, /The install worked successfully/);
        const visitor = new Visitor(server.url);
        const refused = await visitor.post("/admin/login/?next=/admin/", { username: "ada", password: "wrong" });
        assert.match(refused.text, /Please enter the correct username and password/);
        const entered = await visitor.post("/admin/login/?next=/admin/", { username: "ada", password: "correct horse" });
        assert.deepEqual([entered.status, entered.headers.location], [302, "/admin/"]);
        assert.match((await visitor.get("/admin/")).text, /Site administration/);
        const added = await visitor.post("/admin/auth/user/add/", { username: "grace", usable_password: "true", password1: "a long password", password2: "a long password" });
        assert.equal(added.status, 302, added.text);
        assert.match((await visitor.get("/admin/auth/user/")).text, />grace</);
        const forged = await send(server.url, "/admin/auth/user/add/", { method: "POST", body: "username=eve", headers: { cookie: [...visitor.cookies].map((pair) => pair.join("=")).join("; ") } });
        assert.equal(forged.status, 403);
        const style = await send(server.url, "/static/admin/css/base.css");
        assert.equal(style.status, 200);
        assert.match(style.headers["content-type"] ?? "", /text\/css/);
      } finally {
        await server.stop();
      }
      assert.deepEqual(texts(folder), written);
      assert.ok(!existsSync(join(folder, "db.sqlite3")));
    });
  }
});
