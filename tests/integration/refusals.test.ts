/** What a database refuses is the exception that Django's own backend raises, with SQLite's message. */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { combinations, DATABASES, startBehaviour, VARIABLES, writeVariables } from "../support/behaviour.ts";
import { json, send } from "../support/http.ts";
import { buildProject, copyProject } from "../support/project.ts";
import { managed, serve, type Running } from "../support/worker.ts";

const django = (name: string, message: string): [string, string] => [`django.db.utils.${name}`, message];

const REFUSALS = {
  unique: django("IntegrityError", "UNIQUE constraint failed: child.parent, child.number"),
  "primary key": django("IntegrityError", "UNIQUE constraint failed: child.id"),
  "foreign key": django("IntegrityError", "FOREIGN KEY constraint failed"),
  "not null": django("IntegrityError", "NOT NULL constraint failed: child.parent"),
  check: django("IntegrityError", "CHECK constraint failed: small"),
  mismatch: django("IntegrityError", "datatype mismatch"),
  "no table": django("OperationalError", "no such table: nowhere"),
  "no column": django("OperationalError", "no such column: missing"),
  syntax: django("OperationalError", 'near "SELEC": syntax error'),
  "too large": django("DataError", "string or blob too big"),
  parameters: django("ProgrammingError", "Incorrect number of bindings supplied. The current statement uses 1, and there are 2 supplied."),
  type: django("ProgrammingError", "Error binding parameter: type 'type' is not supported"),
  several: django("ProgrammingError", "You can only execute one statement at a time."),
  overflow: ["builtins.OverflowError", "Python int too large to convert to SQLite INTEGER"],
  "closed cursor": django("ProgrammingError", "Cannot operate on a closed cursor."),
  "no function": django("NotSupportedError", "MD5 is not supported: SQLite on Workers has no hash functions."),
  model: django("IntegrityError", "UNIQUE constraint failed: things_thing.name"),
};

combinations(
  DATABASES.map((database) => [database, "wsgi"] as const),
  (database, kind) => {
    let site: Running;
    before(async () => {
      site = await startBehaviour(database, kind);
    });
    after(() => site?.stop());

    test("each refusal has its class and SQLite's words", async () => {
      const { usable, ...found } = await json(site.url, "/refusals/every/");
      assert.deepEqual(found, REFUSALS);
      assert.equal(usable, 0);
    });

    test("a closed connection opens again, but not inside a block", async () => {
      const { count, refused, after } = await json(site.url, "/refusals/closed/");
      assert.deepEqual([count, refused, after], [0, django("ProgrammingError", "Cannot operate on a closed database."), true]);
    });

    if (database === "durable-object") {
      test("a foreign key may be broken until the end of a block, and not after", async () => {
        assert.deepEqual(await json(site.url, "/refusals/late/"), { refused: django("IntegrityError", "FOREIGN KEY constraint failed"), children: [1, 4] });
      });
    } else {
      test("a block on D1 works as autocommit, and one warning says so", async () => {
        for (let i = 0; i < 2; i++) assert.deepEqual(await json(site.url, "/refusals/blocks/"), { refused: i === 0 ? null : django("IntegrityError", "UNIQUE constraint failed: things_thing.name"), names: ["block-1"] });
        const warnings = site.logs.filter(({ level }) => level === "warn");
        assert.equal(warnings.length, 1, JSON.stringify(site.logs));
        assert.match(warnings[0]?.message ?? "", /Database 'default' is D1, which has no transactions: inside atomic\(\) every statement takes effect at once/);
      });
    }
  },
);

describe("options", () => {
  test('OPTIONS["atomic"] = "raise" makes a block on D1 an error, and migrations go on', async () => {
    const folder = copyProject("behaviour", "behaviour-atomic-raises");
    writeVariables(folder, VARIABLES);
    appendFileSync(join(folder, "config", "settings.py"), '\nDATABASES = {"default": {"ENGINE": "django_on_workers.db.d1", "NAME": "DB", "OPTIONS": {"atomic": "raise"}}}\n');
    const build = await buildProject(folder, { database: "d1", interface: "wsgi" });
    await managed(build, "migrate");
    const site = await serve(build);
    try {
      const refused = django("NotSupportedError", "D1 has no transactions: a statement is one by itself, and so is a migration.");
      assert.deepEqual(await json(site.url, "/refusals/blocks/"), { refused, names: [] });
      assert.equal(site.logs.filter(({ level }) => level === "warn").length, 0, JSON.stringify(site.logs));
    } finally {
      await site.stop();
    }
  });

  test("a full disk is an OperationalError, and the object goes on after it", async () => {
    const folder = copyProject("behaviour", "behaviour-full");
    writeVariables(folder, VARIABLES);
    // workerd can make a storage small for tests, where experimental features are on.
    const configuration = join(folder, "wrangler.jsonc");
    writeFileSync(configuration, readFileSync(configuration, "utf8").replace('"name"', '"compatibility_flags": ["experimental"],\n  "name"'));
    const build = await buildProject(folder, { database: "durable-object", interface: "wsgi" });
    await managed(build, "migrate");
    const site = await serve(build);
    try {
      await send(site.url, "/refusals/full/");
      const told = site.logs.filter(({ level }) => level === "error").map(({ message }) => message);
      assert.ok(told.includes("django.db.utils.OperationalError: database or disk is full"), JSON.stringify(site.logs));
      assert.equal((await send(site.url, "/status/200/")).text, "status 200");
    } finally {
      await site.stop();
    }
  });
});
