/** What a Django developer does with a database, on both of them: commands, values, limits, and a process that is killed. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Build } from "../../packages/django-on-workers/dist/build/index.js";
import { DATABASES } from "../support/behaviour.ts";
import { buildDatabases, writeDatabaseVariables } from "../support/databases.ts";
import { Killed, type Course, type Snapshot } from "../support/kills.ts";
import { forget, manage, managed } from "../support/worker.ts";

/** The tests of the backends that are about the database and not about Python. */
const PYTHON_TESTS = ["dates", "fields", "migrations", "queries", "values"].map((name) => `tests.db.test_${name}`);
/** More tests, of Django's own classes; D1 has no transactions. */
const DJANGO_TESTS = { "durable-object": ["library.numbered", "library.renewed", "tests.db.test_renewal"], d1: ["library.numbered"] } as const;
/** Steps at which a migration's process is killed here; `npm run torture` takes each in turn. */
const STEPS = { "durable-object": [24, 62, 90], d1: [12, 30, 33] } as const;

for (const database of DATABASES) {
  describe(database, () => {
    let built: Build;
    before(async () => {
      built = await buildDatabases(database);
      forget(built);
    });

    const snapshot = async (): Promise<Snapshot> => JSON.parse(await managed(built, "snapshot")) as Snapshot;
    const shell = async (code: string): Promise<string> => (await managed(built, "shell", "--no-imports", "-c", code)).trim();

    test("migrate: its plan, its SQL, and back to any point", async () => {
      const plan = await managed(built, "migrate", "--plan", "--no-color");
      assert.match(plan, /Planned operations:\nlibrary\.0001_initial\n {4}Create model Tag\n/);
      assert.match(plan, /library\.0002_shelves\n[^]*Raw Python operation\n[^]*library\.0003_details\n/);
      const sql = await managed(built, "sqlmigrate", "library", "0003", "--no-color");
      assert.match(sql, /ALTER TABLE "library_book" ADD COLUMN "details"|CREATE TABLE "new__library_book"/);
      assert.match(sql, /CREATE INDEX "by_author" ON "library_book" \("author_id", "title"\);/);
      assert.deepEqual((await snapshot()).definitions, {});

      await managed(built, "migrate", "library", "0001");
      await managed(built, "fill");
      const first = await snapshot();
      assert.match(await managed(built, "migrate", "--no-color"), /Applying library\.0002_shelves\.\.\. OK\n {2}Applying library\.0003_details\.\.\. OK/);
      const last = await snapshot();
      assert.match(await managed(built, "showmigrations", "library"), /\[X\] 0001_initial\n \[X\] 0002_shelves\n \[X\] 0003_details/);
      assert.equal(last.rows["library_book"]?.length, 10);
      assert.equal(last.rows["library_shelf"]?.length, 3);
      const back = await managed(built, "migrate", "library", "0001", "--no-color");
      assert.match(back, /Unapplying library\.0003_details\.\.\. OK\n {2}Unapplying library\.0002_shelves\.\.\. OK/);
      const again = await snapshot();
      assert.deepEqual(again.rows, first.rows);
      assert.deepEqual(Object.keys(again.definitions), Object.keys(first.definitions));
      assert.match(await managed(built, "showmigrations", "--plan"), /\[X\] {2}library\.0001_initial\n\[ \] {2}library\.0002_shelves/);
      await managed(built, "migrate");
      assert.deepEqual((await snapshot()).rows, last.rows);
    });

    test("makemigrations and squashmigrations write files", async () => {
      const root = built.project.root;
      const made = await managed(built, "makemigrations", "drafts", "--no-color");
      assert.match(made, /drafts[/]migrations[/]0001_initial\.py\n {4}\+ Create model Draft/);
      assert.match(readFileSync(join(root, "drafts", "migrations", "0001_initial.py"), "utf8"), /name='Draft'/);
      assert.equal((await manage(built, "makemigrations", "--check", "--dry-run", "library")).status, 0);
      const squashed = await managed(built, "squashmigrations", "library", "0003", "--noinput", "--squashed-name", "all", "--no-color");
      assert.match(squashed, /Optimized from \d+ operations to \d+ operations/);
      const written = readFileSync(join(root, "library", "migrations", "0001_all.py"), "utf8");
      assert.match(written, /replaces = \[\('library', '0001_initial'\), \('library', '0002_shelves'\), \('library', '0003_details'\)\]/);
    });

    test("inspectdb tells the models again", async () => {
      const models = await managed(built, "inspectdb", "library_author", "library_book", "library_loan");
      for (const line of [
        "class LibraryAuthor(models.Model):",
        "    full_name = models.TextField(unique=True)",
        "    mentor = models.ForeignKey('self', models.DO_NOTHING, blank=True, null=True)",
        "    author = models.ForeignKey(LibraryAuthor, models.DO_NOTHING)",
        "    details = models.JSONField()",
        "    title = models.CharField(max_length=100)",
        "    book = models.OneToOneField(LibraryBook, models.DO_NOTHING, primary_key=True)",
        "        db_table = 'library_loan'",
      ]) {
        assert.ok(models.includes(`${line}\n`), `${line}\n\n${models}`);
      }
      assert.match(models, /price = models\.DecimalField\(/);
    });

    test("flush, and fixtures whose rows refer to later ones", async () => {
      const before = await snapshot();
      const sql = await managed(built, "sqlflush", "--no-color");
      assert.match(sql, /DELETE FROM "library_book";/);
      await managed(built, "flush", "--noinput");
      const flushed = await snapshot();
      assert.deepEqual(flushed.definitions, before.definitions);
      for (const [table, rows] of Object.entries(flushed.rows)) {
        if (table.startsWith("library_")) assert.deepEqual(rows, [], table);
      }
      assert.match(await managed(built, "loaddata", "forward"), /Installed 7 object\(s\) from 1 fixture\(s\)/);
      const fixture = JSON.parse(readFileSync(join(built.project.root, "library", "fixtures", "forward.json"), "utf8")) as { model: string; pk: number }[];
      const text = await managed(built, "dumpdata", "library");
      assert.match(text, /"works": 9007199254740993\b/);
      const dumped = JSON.parse(text) as typeof fixture;
      const sorted = (objects: typeof fixture): typeof fixture => objects.toSorted((a, b) => a.model.localeCompare(b.model) || a.pk - b.pk);
      assert.deepEqual(sorted(dumped), sorted(fixture));
      const loaded = await snapshot();
      assert.deepEqual(loaded.violations, []);

      const { status, stderr } = await manage(built, "loaddata", "dangling");
      assert.equal(status, 1);
      assert.match(stderr, /IntegrityError: Problem installing fixture|IntegrityError: FOREIGN KEY constraint failed/);
      assert.deepEqual((await snapshot()).violations, []);
      if (database === "durable-object") assert.deepEqual((await snapshot()).rows, loaded.rows);
    });

    test("createcachetable, and the cache in it", async () => {
      assert.match(await managed(built, "createcachetable", "--dry-run"), /CREATE TABLE "cached"/);
      assert.ok(!((await snapshot()).definitions["cached"]));
      await managed(built, "createcachetable");
      assert.match(await managed(built, "createcachetable", "-v", "2"), /Cache table 'cached' already exists/);
      const kept = "from django.core.cache import cache; cache.set('é', [1, b'\\0'], 600); print(cache.get('é'), cache.get('x'), cache.incr('n') if cache.add('n', 4) else 0)";
      assert.equal(await shell(kept), "[1, b'\\x00'] None 5");
    });

    test("a model of more columns than a table can have is found before anything is made", async () => {
      writeDatabaseVariables(built.project.root, { WIDE: "yes" });
      try {
        for (const argv of [["check", "--database", "default"], ["migrate", "--run-syncdb"]]) {
          const { status, stderr } = await manage(built, ...argv);
          assert.equal(status, 1, argv.join(" "));
          assert.match(stderr, /wide\.Sheet: \(django_on_workers\.E001\) wide\.Sheet has 101 columns\. A table has at most 100/);
        }
        assert.ok(!((await snapshot()).definitions["wide_sheet"]));
      } finally {
        writeDatabaseVariables(built.project.root);
      }
    });

    test("the backends' own tests pass inside workerd, and leave the data alone", async (t) => {
      const before = await snapshot();
      const { status, stdout, stderr } = await manage(built, "test", "--noinput", ...PYTHON_TESTS, ...DJANGO_TESTS[database]);
      assert.equal(status, 0, `${stdout}\n${stderr}`);
      t.diagnostic(/Ran \d+ tests[^\n]*/.exec(stderr)?.[0] ?? "");
      assert.ok(Number(/Ran (\d+) tests/.exec(stderr)?.[1]) > 70, stderr);
      assert.deepEqual(await snapshot(), before);
    });

    test("nothing but a test database is created, emptied or dropped as one", async () => {
      await managed(built, "flush", "--noinput");
      await managed(built, "loaddata", "forward");
      const before = await snapshot();
      const creation = "from django.db import connection; connection.creation";
      // As the site: a test database is not within reach.
      const made = await manage(built, "shell", "--no-imports", "-c", `${creation}.create_test_db(autoclobber=True)`);
      assert.equal(made.status, 1);
      assert.match(made.stderr, /test_storage is a test database, and this Durable Object holds the site's data|The Worker has no D1 binding named test_DB/);
      for (const call of ["destroy_test_db(connection.settings_dict['NAME'])", "_destroy_test_db(connection.settings_dict['NAME'], 1)"]) {
        const destroyed = await manage(built, "shell", "--no-imports", "-c", `${creation}.${call}`);
        assert.equal(destroyed.status, 1, call);
        assert.match(destroyed.stderr, /is not a test database: it is left as it is/);
      }
      const named = `connection.settings_dict['TEST']['NAME'] = connection.settings_dict['NAME']`;
      const same = await manage(built, "shell", "--no-imports", "-c", `from django.db import connection; ${named}; connection.creation.create_test_db(autoclobber=True)`);
      assert.equal(same.status, 1);
      assert.match(same.stderr, /which is the database itself: tests would destroy its data/);
      const careless = await manage(built, "test", "--noinput", "library.careless");
      assert.equal(careless.status, 1);
      assert.equal(careless.stderr.match(/^django\.db\.utils\.OperationalError: (?:storage is not a test database, and this Durable Object exists for tests|DB holds the site's data, and tests use test_DB)/gm)?.length, 2, careless.stderr);
      assert.deepEqual(await snapshot(), before);
      assert.ok(!existsSync(join(built.project.root, "db.sqlite3")));
    });

    describe("a migration whose process is killed", () => {
      let killed: Killed;
      let course: Course;
      before(async () => {
        killed = new Killed(built);
        course = await killed.course();
      });
      after(() => killed.remove());

      for (const step of STEPS[database]) {
        test(`before step ${step}`, async (t) => {
          const told = await killed.check(step, course);
          assert.ok(told, "the migrations have fewer steps");
          t.diagnostic(`${told.step}: ${told.found}`);
        });
      }
    });
  });
}
