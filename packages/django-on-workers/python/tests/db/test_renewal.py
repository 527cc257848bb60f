"""A transaction that begins anew has done what the first one had done."""

import random

from .project import setup
from .test_values import DriverTestCase, random_value

setup()

from django_on_workers.db.durable_object.renewal import contents, renew  # noqa: E402
from django_on_workers.db.sqlite import dbapi  # noqa: E402

SCHEMA = (
    'CREATE TABLE "the table" (id INTEGER PRIMARY KEY AUTOINCREMENT, "a b" ANY, c REAL,'
    " twice INTEGER GENERATED ALWAYS AS (c * 2) VIRTUAL)",
    'CREATE TABLE child (parent INTEGER REFERENCES "the table" (id) ON DELETE CASCADE, note TEXT)',
    "CREATE TABLE other (name TEXT PRIMARY KEY)",
    "CREATE INDEX by_note ON child (note)",
)
INSERT = 'INSERT INTO "the table" ("a b", c) VALUES (%s, %s)'


class RenewalTests(DriverTestCase):
    def setUp(self):
        super().setUp()
        self.connection = self.connect()
        for statement in SCHEMA:
            self.run_sql(statement)
        self.source = random.Random(7)
        for _ in range(60):
            self.run_sql(INSERT, [random_value(self.source), self.source.random()])
        for number in range(1, 60, 3):
            self.run_sql("INSERT INTO child VALUES (%s, 'of old')", [number])
        self.run_sql("INSERT INTO other VALUES ('left alone')")

    def run_sql(self, sql, params=()):
        return self.connection.cursor().execute(sql, params).fetchall()

    def change(self):
        """Insert, update and delete rows, with what follows from that."""
        for _ in range(300):
            self.run_sql(INSERT, [random_value(self.source), self.source.uniform(-1e9, 1e9)])
        self.run_sql(INSERT, ["x" * 60_000, None])
        self.run_sql('UPDATE "the table" SET c = c + 1 WHERE id %% 5 = 0')
        self.run_sql('DELETE FROM "the table" WHERE id %% 7 = 0')
        self.run_sql("INSERT INTO child VALUES (2, NULL)")
        self.run_sql("INSERT INTO child VALUES (361, 'of the last')")
        # The last row is gone, its number is not given again.
        self.run_sql('DELETE FROM "the table" WHERE id = 361')

    def test_everything_is_there_again_and_can_be_rolled_back(self):
        before = contents(self.connection)
        self.connection.begin()
        self.change()
        changed = contents(self.connection)
        self.assertNotEqual(changed.rows, before.rows)
        for _ in range(2):
            self.assertTrue(renew(self.connection))
            self.assertTrue(self.connection.in_transaction)
            self.assertEqual(contents(self.connection), changed)
        self.run_sql(INSERT, [1, 1])
        self.assertEqual(self.run_sql('SELECT max(id) FROM "the table"'), [(362,)])
        self.connection.rollback()
        self.assertEqual(contents(self.connection), before)

    def test_a_sequence_of_an_empty_table_goes_on(self):
        self.run_sql("CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT)")
        self.connection.begin()
        self.run_sql("INSERT INTO numbered VALUES (41)")
        self.run_sql("DELETE FROM numbered")
        self.assertTrue(renew(self.connection))
        self.run_sql("INSERT INTO numbered DEFAULT VALUES")
        self.assertEqual(self.run_sql("SELECT id FROM numbered"), [(42,)])
        self.connection.rollback()

    def test_tables_that_were_changed_are_told(self):
        self.connection.begin()
        self.run_sql("CREATE TABLE another (id INTEGER PRIMARY KEY)")
        with self.assertRaisesRegex(dbapi.OperationalError, "Make it a TransactionTestCase"):
            renew(self.connection)
        self.connection.rollback()
        self.assertNotIn("another", contents(self.connection).rows)

    def test_where_triggers_would_run_again_the_transaction_stays(self):
        self.run_sql(
            "CREATE TRIGGER doubled AFTER INSERT ON other BEGIN INSERT INTO child VALUES (NULL, 'x'); END"
        )
        self.connection.begin()
        self.run_sql("INSERT INTO other VALUES ('new')")
        self.assertFalse(renew(self.connection))
        self.assertEqual(self.run_sql("SELECT count(*) FROM child WHERE note = 'x'"), [(1,)])
        self.connection.rollback()
