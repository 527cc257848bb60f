"""Values on their way to the database and back, and the DB-API's manners."""

import datetime
import decimal
import json
import random
import unittest

from .project import INSIDE, TestCase, is_d1, setup

setup()

from django.db import connections  # noqa: E402

from django_on_workers.db.sqlite import dbapi, statements  # noqa: E402
from django_on_workers.db.sqlite.creation import drop_everything  # noqa: E402
from django_on_workers.db.sqlite.driver import DriverError  # noqa: E402

from .limited_sqlite import LimitedDriver  # noqa: E402

NAMES = iter(range(10**6))


class DriverTestCase(TestCase):
    def connect(self, name=None):
        """Return a DB-API connection to an empty database, or another one to that of a name."""
        if INSIDE:
            wrapper = connections["default"]
            self.addCleanup(drop_everything, wrapper)
            return wrapper.get_new_connection(wrapper.settings_dict)
        return dbapi.connect(LimitedDriver(name or f"values-{next(NAMES)}"))


def random_text(source):
    alphabet = "aé'\"%_\\\n\t?🐍\u2028Z0 "
    return "".join(source.choice(alphabet) for _ in range(source.randrange(30)))


def random_value(source):
    return source.choice(
        [
            lambda: None,
            lambda: source.randrange(-(2**63), 2**63),
            lambda: source.choice([2**53, -(2**53), 2**53 + 1, 2**63 - 1, -(2**63)]),
            lambda: source.randrange(-1000, 1000),
            lambda: source.uniform(-1e6, 1e6) + 0.5,
            lambda: source.uniform(-1e300, 1e300),
            lambda: random_text(source),
            lambda: source.randbytes(source.randrange(20)),
            lambda: b"",
            lambda: "",
        ]
    )()


class RoundTripTests(DriverTestCase):
    def setUp(self):
        self.source = random.Random(20260103)
        self.cursor = self.connect().cursor()

    def assertSame(self, found, expected):
        # A real number without a fraction is an integer to JavaScript.
        self.assertEqual(found, expected)
        if not isinstance(expected, float):
            self.assertIs(type(found), type(expected))

    def test_each_value(self):
        for _ in range(2000):
            value = random_value(self.source)
            found = self.cursor.execute("SELECT %s", [value]).fetchone()[0]
            self.assertSame(found, value)

    def test_rows_of_any_width(self):
        for width in (1, 7, 60, 100):
            for _ in range(20):
                values = [random_value(self.source) for _ in range(width)]
                sql = "SELECT " + ", ".join(["%s"] * width)
                found = self.cursor.execute(sql, values).fetchone()
                for one, expected in zip(found, values, strict=True):
                    self.assertSame(one, expected)

    def test_more_parameters_than_can_be_bound(self):
        self.cursor.execute("CREATE TABLE t (id integer PRIMARY KEY, v)")
        for count, text in ((101, ""), (500, "x" * 50), (900, "y" * 2000), (3000, "z")):
            values = [
                f"{text}{index}" if index % 2 else random_value(self.source)
                for index in range(count)
            ]
            self.cursor.execute("DELETE FROM t")
            self.cursor.execute("INSERT INTO t (v) VALUES " + ", ".join(["(%s)"] * count), values)
            found = self.cursor.execute("SELECT v FROM t ORDER BY id").fetchall()
            for (one,), expected in zip(found, values, strict=True):
                self.assertSame(one, expected)

    def test_real_numbers_among_more_than_can_be_bound(self):
        edges = [5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e22, 1e23, 2.0**53, -0.1]
        for _ in range(20):
            numbers = [
                *edges,
                *(
                    self.source.uniform(-1, 1) * 10.0 ** self.source.randrange(-320, 300)
                    for _ in range(200)
                ),
                *(round(self.source.uniform(-1e6, 1e6), 5) for _ in range(200)),
            ]
            sql = f"SELECT * FROM (VALUES {', '.join(['(%s)'] * len(numbers))})"
            found = [row[0] for row in self.cursor.execute(sql, numbers).fetchall()]
            self.assertEqual(found, numbers)

    def test_integers_stay_integers(self):
        self.cursor.execute("SELECT typeof(%s), %s || '', %s / 2, typeof(%s)", [3, 3, 3, 3.5])
        self.assertEqual(self.cursor.fetchone(), ("integer", "3", 1, "real"))

    def test_an_integer_does_not_lend_its_affinity(self):
        self.cursor.execute("CREATE TABLE t (v text)")
        self.cursor.execute("INSERT INTO t VALUES (%s), ('3.0')", [3])
        found = self.cursor.execute("SELECT v FROM t WHERE v = %s", [3]).fetchall()
        self.assertEqual(found, [("3",)])

    def test_an_integer_is_no_column_number(self):
        big = 2**60
        self.cursor.execute("SELECT v FROM (SELECT 1 AS v) GROUP BY %s", [big])
        self.assertEqual(self.cursor.fetchall(), [(1,)])

    def test_adapted_types(self):
        for value, expected in (
            (True, 1),
            (decimal.Decimal("1.50"), "1.50"),
            (datetime.date(1, 1, 1), "0001-01-01"),
            (datetime.datetime(9999, 12, 31, 23, 59, 59, 999999), "9999-12-31 23:59:59.999999"),
            (memoryview(b"a\0b"), b"a\0b"),
        ):
            self.assertEqual(self.cursor.execute("SELECT %s", [value]).fetchone()[0], expected)

    def test_what_can_not_be_bound(self):
        with self.assertRaisesRegex(dbapi.ProgrammingError, "object"):
            self.cursor.execute("SELECT %s", [object()])
        with self.assertRaises(OverflowError):
            self.cursor.execute("SELECT %s", [2**63])
        with self.assertRaises(UnicodeEncodeError):
            self.cursor.execute("SELECT %s", ["\ud800"])

    @unittest.skipIf(INSIDE and is_d1("default"), "D1 speaks JSON, which has no infinity.")
    def test_infinity_and_nan(self):
        found = self.cursor.execute("SELECT %s, %s, %s", [1e999, -1e999, float("nan")]).fetchone()
        self.assertEqual(found, (float("inf"), float("-inf"), None))

    def test_large_integers_among_many_rows(self):
        numbers = [2**53 + index if index % 50 == 49 else index for index in range(1000)]
        self.cursor.execute("CREATE TABLE t (v integer)")
        self.cursor.execute("INSERT INTO t SELECT value FROM json_each(%s)", [json.dumps(numbers)])
        found = self.cursor.execute("SELECT v, v, 't' FROM t ORDER BY v;").fetchall()
        self.assertEqual(found, [(number, number, "t") for number in sorted(numbers)])

    def test_large_integers_late_in_a_result_whose_rows_are_deleted(self):
        numbers = [2**53 + index if index > 900 else index for index in range(1000)]
        self.cursor.execute("CREATE TABLE late (a)")
        self.cursor.executemany("INSERT INTO late VALUES (%s)", [(number,) for number in numbers])
        inner = self.cursor.connection.cursor()
        found = []
        for (number,) in self.cursor.execute("SELECT a FROM late ORDER BY rowid"):
            found.append(number)
            if number < 1000:
                inner.execute("DELETE FROM late WHERE a = %s", (number,))
        self.assertEqual(found, numbers)


class PlaceholderTests(DriverTestCase):
    def test_conversion(self):
        for query, params, expected in (
            ("SELECT '%%s', %s", ["a"], "SELECT '%s', ?"),
            ("SELECT 1 %% 2", [], "SELECT 1 % 2"),
            ("SELECT %(b)s, %(a)s, %(b)s", {"a": "x", "b": "y"}, "SELECT ?, ?, ?"),
            ("SELECT ?", ["a"], "SELECT ?"),
        ):
            self.assertEqual(statements.prepare(query, params)[0], expected)
        self.assertEqual(
            list(statements.prepare("%(b)s %(a)s %(b)s", {"a": "x", "b": "y"})[1]), ["y", "x", "y"]
        )

    def test_wrong_number(self):
        cursor = self.connect().cursor()
        for query, params in (("SELECT %s, %s", [1]), ("SELECT %s", []), ("SELECT %s", [1, 2])):
            with self.assertRaisesRegex(dbapi.ProgrammingError, "number of bindings"):
                cursor.execute(query, params)

    def test_no_parameters_no_conversion(self):
        self.assertEqual(self.connect().cursor().execute("SELECT '%s %%'").fetchone(), ("%s %%",))


class SeveralStatementsTests(DriverTestCase):
    def setUp(self):
        self.cursor = self.connect().cursor()

    def test_one_is_sent(self):
        for sql in (
            "SELECT 1;",
            "SELECT 1; -- and no more\n /* ; */",
            "SELECT ';', 'it''s; one' AS \";\", [;].* FROM (SELECT 2) AS [;] /* ; SELECT */",
            "SELECT 1 -- ; SELECT 2",
        ):
            with self.subTest(sql):
                self.assertEqual(len(self.cursor.execute(sql).fetchall()), 1)

    def test_more_are_refused_as_sqlite_refuses_them(self):
        for sql in (
            "SELECT 1; SELECT 2",
            "SELECT 1;;",
            "SELECT 'a;'; DROP TABLE t",
            "BEGIN; SELECT 1",
        ):
            with self.subTest(sql), self.assertRaisesRegex(dbapi.ProgrammingError, "one statement"):
                self.cursor.execute(sql)

    def test_a_trigger_has_statements_of_its_own(self):
        self.cursor.execute("CREATE TABLE several (a)")
        self.cursor.execute(
            "-- counts; further\nCREATE TRIGGER more AFTER INSERT ON several "
            "BEGIN UPDATE several SET a = 2; UPDATE several SET a = a + 1; END;"
        )
        self.cursor.execute("INSERT INTO several VALUES (1)")
        self.assertEqual(self.cursor.execute("SELECT a FROM several").fetchall(), [(3,)])


class CursorTests(DriverTestCase):
    def setUp(self):
        self.connection = self.connect()
        self.cursor = self.connection.cursor()
        self.cursor.execute("CREATE TABLE t (id integer PRIMARY KEY, v text UNIQUE NOT NULL)")
        for number in range(450):
            self.cursor.execute("INSERT INTO t (v) VALUES (%s)", [str(number)])

    def test_cursors_are_independent(self):
        outer = self.cursor.execute("SELECT id FROM t ORDER BY id")
        seen = []
        for (number,) in outer:
            inner = self.connection.cursor().execute("SELECT v FROM t WHERE id = %s", [number])
            seen.append(inner.fetchone()[0])
        self.assertEqual(seen, [str(number) for number in range(450)])

    def test_fetching(self):
        cursor = self.cursor.execute("SELECT id, v FROM t ORDER BY id")
        self.assertEqual([column[0] for column in cursor.description], ["id", "v"])
        self.assertEqual(cursor.fetchone(), (1, "0"))
        self.assertEqual(len(cursor.fetchmany(250)), 250)
        self.assertEqual(len(cursor.fetchall()), 199)
        self.assertIsNone(cursor.fetchone())
        self.assertEqual(cursor.fetchmany(3), [])

    def test_what_a_write_gives(self):
        self.cursor.execute("UPDATE t SET v = v || '!' WHERE id <= %s", [10])
        self.assertEqual((self.cursor.rowcount, self.cursor.description), (10, None))
        self.cursor.execute("INSERT INTO t (v) VALUES ('new')")
        self.assertEqual(self.cursor.lastrowid, 451)
        self.cursor.executemany("INSERT INTO t (v) VALUES (%s)", [["a"], ["b"], ["c"]])
        self.assertEqual(self.cursor.rowcount, 3)

    def test_closed(self):
        self.cursor.close()
        with self.assertRaises(dbapi.ProgrammingError):
            self.cursor.execute("SELECT 1")
        self.connection.close()
        with self.assertRaises(dbapi.ProgrammingError):
            self.connection.cursor()


class ErrorTests(DriverTestCase):
    def setUp(self):
        self.connection = self.connect()
        self.cursor = self.connection.cursor()
        self.cursor.execute("CREATE TABLE p (id integer PRIMARY KEY, v text UNIQUE NOT NULL)")
        self.cursor.execute("CREATE TABLE c (p integer REFERENCES p (id), n integer CHECK (n > 0))")
        self.cursor.execute("INSERT INTO p (id, v) VALUES (1, 'a')")

    def assertRefused(self, cls, message, sql):
        with self.assertRaises(cls) as caught:
            self.cursor.execute(sql)
        self.assertIs(type(caught.exception), cls)
        self.assertEqual(str(caught.exception), message)

    def test_the_class_and_the_message_are_sqlites(self):
        for cls, message, sql in (
            (
                dbapi.IntegrityError,
                "UNIQUE constraint failed: p.v",
                "INSERT INTO p VALUES (2, 'a')",
            ),
            (
                dbapi.IntegrityError,
                "NOT NULL constraint failed: p.v",
                "INSERT INTO p VALUES (2, NULL)",
            ),
            (dbapi.IntegrityError, "CHECK constraint failed: n > 0", "INSERT INTO c VALUES (1, 0)"),
            (dbapi.IntegrityError, "FOREIGN KEY constraint failed", "INSERT INTO c VALUES (9, 1)"),
            (dbapi.IntegrityError, "datatype mismatch", "INSERT INTO p VALUES ('x', 'y')"),
            (dbapi.OperationalError, "no such table: q", "SELECT * FROM q"),
            (dbapi.OperationalError, 'near "selec": syntax error', "selec"),
            (dbapi.OperationalError, "no such column: q", "SELECT q FROM p"),
            (dbapi.DataError, "string or blob too big", "SELECT zeroblob(9000000)"),
        ):
            with self.subTest(sql):
                self.assertRefused(cls, message, sql)

    def test_decorations(self):
        for text, cls, message in (
            (
                "no such column: zz at offset 7: SQLITE_ERROR",
                "OperationalError",
                "no such column: zz",
            ),
            (
                "D1_ERROR: UNIQUE constraint failed: p.u: SQLITE_CONSTRAINT"
                " (extended: SQLITE_CONSTRAINT_UNIQUE)",
                "IntegrityError",
                "UNIQUE constraint failed: p.u",
            ),
            ("Error: database is locked: SQLITE_BUSY", "OperationalError", "database is locked"),
            ("database disk image is malformed: SQLITE_CORRUPT", "DatabaseError", None),
            ("Network connection lost.", "OperationalError", "Network connection lost."),
        ):
            error = dbapi.translate(DriverError(text))
            self.assertEqual(type(error).__name__, cls)
            if message:
                self.assertEqual(str(error), message)


@unittest.skipIf(INSIDE and is_d1("default"), "D1 has no transactions.")
class TransactionTests(DriverTestCase):
    def setUp(self):
        self.name = f"transactions-{next(NAMES)}"
        self.connection = self.connect(self.name)
        self.cursor = self.connection.cursor()
        self.cursor.execute("CREATE TABLE p (id integer PRIMARY KEY)")
        self.cursor.execute("CREATE TABLE c (p integer REFERENCES p (id))")

    def rows(self, table):
        return [row[0] for row in self.cursor.execute(f"SELECT * FROM {table}").fetchall()]

    def test_sql_for_transactions_becomes_calls(self):
        for statement in ("BEGIN", "INSERT INTO p VALUES (1)", 'SAVEPOINT "s"'):
            self.cursor.execute(statement)
        self.cursor.execute("INSERT INTO p VALUES (2)")
        self.cursor.execute('ROLLBACK TO SAVEPOINT "s"')
        self.cursor.execute("INSERT INTO p VALUES (3)")
        self.cursor.execute('RELEASE SAVEPOINT "s"')
        self.cursor.execute("COMMIT")
        self.assertEqual(self.rows("p"), [1, 3])
        self.assertFalse(self.connection.in_transaction)

    def test_a_row_may_refer_to_one_that_comes_later(self):
        self.connection.begin()
        self.cursor.execute("INSERT INTO c VALUES (7)")
        self.cursor.execute("INSERT INTO p VALUES (7)")
        self.connection.commit()
        self.assertEqual(self.rows("c"), [7])

    def test_a_row_that_refers_to_nothing_is_refused_when_it_is_committed(self):
        self.connection.begin()
        self.cursor.execute("INSERT INTO c VALUES (7)")
        with self.assertRaisesRegex(dbapi.IntegrityError, "FOREIGN KEY constraint failed"):
            self.connection.commit()
        self.connection.rollback()
        self.assertEqual(self.rows("c"), [])
        with self.assertRaises(dbapi.IntegrityError):
            self.cursor.execute("INSERT INTO c VALUES (7)")

    def test_foreign_keys_that_are_declared_deferred(self):
        self.cursor.execute(
            "CREATE TABLE d (p integer REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED)"
        )
        # The driver resets the object when it has to refuse a commit.
        with self.assertRaisesRegex(dbapi.IntegrityError, "^FOREIGN KEY constraint failed$"):
            self.cursor.execute("INSERT INTO d VALUES (7)")
        self.assertFalse(self.connection.in_transaction)
        self.connection.begin()
        self.cursor.execute("INSERT INTO d VALUES (7)")
        with self.assertRaisesRegex(dbapi.IntegrityError, "^FOREIGN KEY constraint failed$"):
            self.connection.commit()
        self.cursor.execute("INSERT INTO p VALUES (7)")
        self.connection.commit()
        self.assertEqual(self.rows("d"), [7])

    def test_closing_undoes(self):
        self.connection.begin()
        self.cursor.execute("INSERT INTO p VALUES (1)")
        self.connection.close()
        again = self.connect(self.name)
        self.assertEqual(again.cursor().execute("SELECT count(*) FROM p").fetchone(), (0,))


if __name__ == "__main__":
    unittest.main()
