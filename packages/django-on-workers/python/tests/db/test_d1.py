"""What D1 does without transactions, and what it does in one batch."""

import sqlite3
import unittest
from contextlib import closing
from unittest import mock

from .project import setup

setup()

from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.db import (  # noqa: E402
    IntegrityError,
    NotSupportedError,
    connections,
    migrations,
    models,
    transaction,
)
from django.db.migrations.state import ProjectState  # noqa: E402

from django_on_workers.db.d1 import base  # noqa: E402
from django_on_workers.db.d1.dbapi import UNFINISHED  # noqa: E402
from django_on_workers.db.d1.preview import preview  # noqa: E402
from django_on_workers.db.sqlite.creation import drop_everything  # noqa: E402


class AtomicTests(unittest.TestCase):
    def setUp(self):
        self.connection = connections["d1"]
        self.options = self.connection.settings_dict["OPTIONS"]
        self.addCleanup(self.options.__setitem__, "atomic", "ignore")
        with self.connection.cursor() as cursor:
            cursor.execute("CREATE TABLE t (id integer PRIMARY KEY)")
        self.addCleanup(drop_everything, self.connection)

    def rows(self):
        with self.connection.cursor() as cursor:
            return [row[0] for row in cursor.execute("SELECT id FROM t").fetchall()]

    def insert(self, value):
        with self.connection.cursor() as cursor:
            cursor.execute("INSERT INTO t VALUES (%s)", [value])

    def test_statements_take_effect_at_once(self):
        called = []
        with self.assertRaises(ZeroDivisionError), transaction.atomic("d1"):
            self.insert(1)
            transaction.on_commit(lambda: called.append(1), using="d1")
            raise ZeroDivisionError
        self.assertEqual((self.rows(), called), ([1], []))
        with transaction.atomic("d1"):
            transaction.on_commit(lambda: called.append(2), using="d1")
        self.assertEqual(called, [2])

    def test_a_block_that_failed_does_not_end_the_outer_one(self):
        with transaction.atomic("d1"):
            self.insert(1)
            with self.assertRaises(IntegrityError), transaction.atomic("d1"):
                self.insert(1)
            self.insert(2)
        self.assertEqual(self.rows(), [1, 2])

    def test_raise(self):
        self.options["atomic"] = "raise"
        with self.assertRaisesRegex(NotSupportedError, "no transactions"):
            with transaction.atomic("d1"):
                self.fail("entered")
        self.insert(1)
        self.assertEqual(self.rows(), [1])

    def test_an_unknown_mode(self):
        self.options["atomic"] = "maybe"
        with self.assertRaisesRegex(ImproperlyConfigured, "'maybe'"):
            with transaction.atomic("d1"):
                self.fail("entered")

    def test_one_warning(self):
        self.options["atomic"] = "warn"
        self.connection.close()
        base.warned.clear()
        with self.assertLogs("django_on_workers.db.d1", "WARNING") as logged:
            for _ in range(3):
                self.insert(len(self.rows()))
                self.connection.close()
        self.assertEqual(len(logged.records), 1)

    def test_sql_for_transactions(self):
        with self.connection.cursor() as cursor, self.assertRaises(NotSupportedError):
            cursor.execute("BEGIN")


class ForwardReferencesTests(unittest.TestCase):
    def setUp(self):
        self.connection = connections["d1"]
        self.addCleanup(drop_everything, self.connection)
        with self.connection.cursor() as cursor:
            cursor.execute("CREATE TABLE p (id integer PRIMARY KEY)")
            cursor.execute("CREATE TABLE c (id integer PRIMARY KEY, p integer REFERENCES p (id))")

    def run_all(self, *statements):
        with self.connection.cursor() as cursor:
            for sql in statements:
                cursor.execute(sql)

    def test_rows_may_come_before_what_they_refer_to(self):
        with self.connection.constraint_checks_disabled():
            self.run_all("INSERT INTO c VALUES (1, 7) RETURNING id", "INSERT INTO p VALUES (7)")
        with self.connection.cursor() as cursor:
            self.assertEqual(cursor.execute("SELECT * FROM c").fetchall(), [(1, 7)])

    def test_but_it_has_to_come(self):
        with self.assertRaises(IntegrityError):
            with self.connection.constraint_checks_disabled():
                self.run_all("INSERT INTO c VALUES (1, 7)")
        with self.assertRaises(IntegrityError):
            self.run_all("INSERT INTO c VALUES (1, 7)")


class MigrationInPartsTests(unittest.TestCase):
    """A migration that reads what it wrote is sent in parts; the next run finishes it."""

    def test_the_next_run_finishes(self):
        from django.db.migrations.executor import MigrationExecutor
        from django.db.migrations.state import ProjectState

        connection = connections["d1"]
        self.addCleanup(drop_everything, connection)
        fails = [True]

        def read(apps, editor):
            things = apps.get_model("parts", "Thing").objects.using("d1")
            apps.get_model("parts", "Thing")(pk=5, n=1).save(using="d1")
            self.assertEqual(things.update(n=2), 1)
            self.assertEqual(things.filter(pk=6).delete()[0], 0)
            if fails:
                raise ZeroDivisionError

        key = ("id", models.BigAutoField(primary_key=True))
        migration = migrations.Migration("0001", "parts")
        migration.operations = [
            migrations.CreateModel("Thing", [key, ("n", models.IntegerField(db_index=True))]),
            migrations.RunPython(read, migrations.RunPython.noop),
            migrations.CreateModel("Other", [key]),
        ]
        executor = MigrationExecutor(connection)
        executor.recorder.ensure_schema()
        with self.assertRaises(ZeroDivisionError):
            executor.apply_migration(ProjectState(), migration)
        fails.clear()
        executor.apply_migration(ProjectState(), migration)
        self.assertEqual(
            sorted(connection.introspection.table_names()),
            ["django_migrations", "parts_other", "parts_thing"],
        )
        self.assertEqual(executor.recorder.migration_qs.filter(name="0001").count(), 1)
        executor.unapply_migration(ProjectState(), migration)
        self.assertEqual(connection.introspection.table_names(), ["django_migrations"])
        self.assertEqual(executor.recorder.migration_qs.filter(name="0001").count(), 0)


class PreviewTests(unittest.TestCase):
    """What the schema editor knows of statements that it has not sent yet."""

    def tearDown(self):
        drop_everything(connections["d1"])

    def test_functions_that_this_sqlite_does_not_have(self):
        definitions = [
            "CREATE TABLE p (id integer PRIMARY KEY, n CHECK (no_such(n, 1) > other(n)))"
        ]
        statements = [
            "ALTER TABLE p RENAME TO q",
            "INSERT INTO q VALUES (1, 1)",
            "CREATE TABLE c (p REFERENCES q, l AS (no_such(p)) STORED)",
        ]
        with closing(preview(definitions, statements)) as database:
            found = database.execute(
                "SELECT \"table\" FROM pragma_foreign_key_list('c')"
            ).fetchall()
        self.assertEqual(found, [("q",)])

    def rename_and_rebuild(self):
        """Return the rows of a table that refers to one which a migration renames and rebuilds."""
        connection, key = connections["d1"], ("id", models.BigAutoField(primary_key=True))
        first = migrations.Migration("0001", "renamed")
        first.operations = [
            migrations.CreateModel("Parent", [key, ("n", models.IntegerField())]),
            migrations.CreateModel(
                "Child", [key, ("parent", models.ForeignKey("renamed.Parent", models.CASCADE))]
            ),
        ]
        second = migrations.Migration("0002", "renamed")
        second.operations = [
            migrations.RenameModel("Parent", "Elder"),
            migrations.AlterField("elder", "n", models.TextField(default="")),
        ]
        with connection.schema_editor(atomic=True) as editor:
            state = first.apply(ProjectState(), editor)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO renamed_parent VALUES (1, 10), (2, 20)")
            cursor.execute("INSERT INTO renamed_child VALUES (1, 2), (2, 1)")
        with connection.schema_editor(atomic=True) as editor:
            second.apply(state, editor)
        with connection.cursor() as cursor:
            self.assertEqual(cursor.execute("PRAGMA foreign_key_check").fetchall(), [])
            return cursor.execute("SELECT * FROM renamed_child ORDER BY id").fetchall()

    def test_a_table_that_was_renamed_before(self):
        self.assertEqual(self.rename_and_rebuild(), [(1, 2), (2, 1)])

    def test_where_only_d1_can_tell(self):
        with mock.patch("django_on_workers.db.d1.schema.preview", side_effect=sqlite3.Error):
            self.assertEqual(self.rename_and_rebuild(), [(1, 2), (2, 1)])
        self.assertNotIn(UNFINISHED, connections["d1"].introspection.table_names())


class Killed(BaseException):
    """The process ends here."""


class KilledMigrationTests(unittest.TestCase):
    """A migration killed at every statement in turn is complete or absent, and so is its record."""

    operations = [
        migrations.AddField("parent", "n", models.IntegerField(default=3)),
        migrations.AlterField("parent", "name", models.TextField(unique=True)),
        migrations.CreateModel(
            "Toy",
            [
                ("id", models.BigAutoField(primary_key=True)),
                ("owner", models.ForeignKey("nursery.Child", models.CASCADE)),
                ("label", models.CharField(max_length=9, db_index=True)),
            ],
        ),
        migrations.AddIndex("toy", models.Index(fields=["label", "owner"], name="by_label")),
    ]

    def schema(self, connection):
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master ORDER BY name")
            found = dict(cursor.fetchall())
            cursor.execute("SELECT * FROM nursery_child ORDER BY id")
            found["rows"] = cursor.fetchall()
            if "django_migrations" in found:
                cursor.execute("SELECT name FROM django_migrations")
                found["recorded"] = cursor.fetchall()
        return found

    def migrate(self, connection, name, operations, state):
        from django.db.migrations.executor import MigrationExecutor

        migration = migrations.Migration(name, "nursery")
        migration.operations = operations
        executor = MigrationExecutor(connection)
        executor.recorder.ensure_schema()
        return executor.apply_migration(state.clone(), migration)

    def prepare(self, connection):
        from django.db.migrations.state import ProjectState

        first = [
            migrations.CreateModel(
                "Parent",
                [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())],
            ),
            migrations.CreateModel(
                "Child",
                [
                    ("id", models.BigAutoField(primary_key=True)),
                    ("parent", models.ForeignKey("nursery.Parent", models.CASCADE)),
                ],
            ),
        ]
        state = self.migrate(connection, "0001", first, ProjectState())
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO nursery_parent VALUES (1, 'a'), (2, 'b')")
            cursor.execute("INSERT INTO nursery_child VALUES (1, 2), (2, 1), (3, 2)")
        return state

    def test_at_every_statement(self):
        for alias in ("durable_object", "d1"):
            connection = connections[alias]
            state = self.prepare(connection)
            before = self.schema(connection)
            for last in range(1, 200):
                connection.ensure_connection()
                driver = connection.connection.driver
                count = 0

                def execute(sql, params, run=driver.execute, last=last):
                    nonlocal count
                    count += 1
                    if count == last:
                        raise Killed
                    return run(sql, params)

                driver.execute = execute
                try:
                    self.migrate(connection, "0002", self.operations, state)
                except Killed:
                    pass
                else:
                    break
                finally:
                    del driver.execute
                    connection.connection.close()
                    connection.connect()
                found = self.schema(connection)
                if ("0002",) in found["recorded"]:
                    break
                self.assertEqual(found, before, f"{alias}, killed at statement {last}")
            self.assertGreater(last, 15)
            after = self.schema(connection)
            self.assertIn(("0002",), after["recorded"])
            self.assertIn("by_label", after)
            self.assertEqual(after["rows"], before["rows"])
            drop_everything(connection)


if __name__ == "__main__":
    unittest.main()
