"""Test databases, and that nothing else is ever taken for one."""

import unittest

from .project import BACKENDS, setup

setup()

from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.db import connections  # noqa: E402

from .limited_sqlite import database  # noqa: E402


class CreationTests(unittest.TestCase):
    def connection(self, alias, **test):
        template = connections[alias]
        settings_dict = {
            **template.settings_dict,
            "NAME": f"real-{alias}",
            "TEST": {**template.settings_dict["TEST"], **test},
        }
        connection = template.__class__(settings_dict, alias=alias)
        self.addCleanup(connection.close)
        return connection

    def test_a_test_database_is_another_one(self):
        for alias in BACKENDS:
            connection = self.connection(alias)
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE t (id integer PRIMARY KEY)")
                cursor.execute("INSERT INTO t VALUES (1)")
            name = connection.creation._create_test_db(verbosity=0, autoclobber=True)
            self.assertEqual(name, f"test_real-{alias}")
            database(name).connection.execute("CREATE TABLE u (a)")
            connection.creation._create_test_db(verbosity=0, autoclobber=True)
            self.assertEqual(tables(name), [])
            database(name).connection.execute("CREATE TABLE u (a)")
            connection.creation._destroy_test_db(name, verbosity=0)
            self.assertEqual(tables(name), [])
            with connection.cursor() as cursor:
                self.assertEqual(cursor.execute("SELECT * FROM t").fetchall(), [(1,)])
                cursor.execute("DROP TABLE t")

    def test_the_database_itself_is_refused(self):
        for alias in BACKENDS:
            connection = self.connection(alias, NAME=f"real-{alias}")
            with self.assertRaisesRegex(ImproperlyConfigured, "would destroy its data"):
                connection.creation._create_test_db(verbosity=0, autoclobber=True)
            with self.assertRaisesRegex(ImproperlyConfigured, "not a test database"):
                connection.creation._destroy_test_db(f"real-{alias}", verbosity=0)

    def test_tables_that_refer_to_each_other_are_dropped(self):
        for alias in BACKENDS:
            connection = self.connection(alias)
            creation = connection.creation
            name = creation._create_test_db(verbosity=0, autoclobber=True)
            execute = database(name).connection.execute
            execute("CREATE TABLE a (id integer PRIMARY KEY, b integer REFERENCES b (id))")
            execute(
                "CREATE TABLE b (id integer PRIMARY KEY,"
                " a integer REFERENCES a (id) ON DELETE CASCADE)"
            )
            execute(
                "CREATE TABLE c (x text, y text, self integer REFERENCES c ON DELETE CASCADE,"
                " id integer PRIMARY KEY, b integer REFERENCES b ON DELETE SET NULL, UNIQUE (x, y),"
                " FOREIGN KEY (x, y) REFERENCES c (x, y) ON DELETE CASCADE)"
            )
            execute("CREATE TABLE d (c REFERENCES c ON DELETE CASCADE, a REFERENCES a)")
            execute("INSERT INTO a VALUES (1, NULL)")
            execute("INSERT INTO b VALUES (1, 1)")
            execute("UPDATE a SET b = 1")
            execute("INSERT INTO c (id, self, b) VALUES (1, 1, 1)")
            execute("INSERT INTO d VALUES (1, 1)")
            execute("CREATE VIEW v AS SELECT * FROM a")
            creation._destroy_test_db(name, verbosity=0)
            self.assertEqual(tables(name), [])


def tables(name):
    rows = database(name).connection.execute("SELECT name FROM sqlite_master").fetchall()
    return [row[0] for row in rows if row[0] != "sqlite_sequence"]


if __name__ == "__main__":
    unittest.main()
