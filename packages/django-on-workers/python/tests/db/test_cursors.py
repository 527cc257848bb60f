"""Cursors as Django has them, here and on its own SQLite backend."""

import sys
import warnings
from unittest import mock

from .project import ALIASES, BACKENDS, NATIVE, TestCase, setup

setup()

from django.apps import apps  # noqa: E402
from django.db import (  # noqa: E402
    DatabaseError,
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    connections,
)
from django.db.transaction import TransactionManagementError  # noqa: E402


class CursorTests(TestCase):
    def each(self):
        """Return every connection, with a cursor of it."""
        found = [(connections[alias], connections[alias].cursor()) for alias in ALIASES]
        for _, cursor in found:
            self.addCleanup(cursor.close)
        return found

    def test_wrappers_are_called(self):
        for connection, cursor in self.each():
            seen = []

            def wrapper(execute, sql, params, many, context, seen=seen):
                seen.append((sql, params, many, context["cursor"], context["connection"]))
                return execute(f"{sql} + 1", params, many, context)

            with connection.execute_wrapper(wrapper):
                cursor.execute("SELECT %s", [1])
            self.assertEqual(seen, [("SELECT %s", [1], False, cursor, connection)])
            self.assertEqual(cursor.fetchall(), [(2,)])

    def test_a_broken_transaction_takes_no_query(self):
        for connection, cursor in self.each():
            with (
                mock.patch.object(connection, "needs_rollback", True),
                self.assertRaisesRegex(TransactionManagementError, "until the end of the 'atomic'"),
            ):
                cursor.execute("SELECT 1")
            cursor.execute("SELECT 1")
            self.assertEqual(cursor.fetchone(), (1,))

    def test_many_queries_are_none(self):
        for _, cursor in self.each():
            for sql in ("SELECT %s", " select %s", "VALUES (%s)"):
                with (
                    self.subTest(sql),
                    self.assertRaisesRegex(ProgrammingError, "can only execute DML statements"),
                ):
                    cursor.executemany(sql, [[1], [2]])

    def test_a_negative_size_means_all_rows(self):
        for connection, cursor in self.each():
            if connection.alias == NATIVE and sys.version_info >= (3, 15):
                # Since then refused; the runtime's Python is 3.14.
                continue
            cursor.execute("SELECT %s UNION ALL SELECT %s UNION ALL SELECT %s", [1, 2, 3])
            self.assertEqual(cursor.fetchmany(1), [(1,)])
            self.assertEqual(cursor.fetchmany(-1), [(2,), (3,)])
            self.assertEqual(cursor.fetchmany(-1), [])

    def test_parameters_are_a_sequence_or_have_names(self):
        for _, cursor in self.each():
            for params in (1, {1}, iter([1]), object()):
                with (
                    self.subTest(params),
                    self.assertRaisesRegex(ProgrammingError, "^parameters are of unsupported type"),
                ):
                    cursor.execute("SELECT %s", params)
            cursor.execute("SELECT %s", "a")
            self.assertEqual(cursor.fetchone(), ("a",))

    def test_a_query_before_the_apps_are_ready(self):
        for _, cursor in self.each():
            with (
                mock.patch.object(apps, "ready", False),
                warnings.catch_warnings(record=True) as seen,
            ):
                warnings.simplefilter("always")
                cursor.execute("SELECT 1")
            self.assertEqual([warning.category for warning in seen], [RuntimeWarning])

    def test_errors_are_those_of_django(self):
        for connection, cursor in self.each():
            cursor.execute("CREATE TABLE cursors (id integer PRIMARY KEY)")
            try:
                cursor.execute("INSERT INTO cursors VALUES (%s)", [1])
                connection.errors_occurred = False
                with self.assertRaisesRegex(IntegrityError, "UNIQUE constraint failed") as caught:
                    cursor.execute("INSERT INTO cursors VALUES (%s)", [1])
                self.assertIsInstance(
                    caught.exception.__cause__, connection.Database.IntegrityError
                )
                self.assertFalse(connection.errors_occurred)
            finally:
                cursor.execute("DROP TABLE cursors")
            with self.assertRaisesRegex(OperationalError, "no such table: cursors"):
                cursor.execute("SELECT * FROM cursors")
            self.assertTrue(connection.errors_occurred)
            connection.errors_occurred = False

    def test_errors_of_rows_are_those_of_django(self):
        for connection, cursor in self.each():
            refused = mock.Mock(side_effect=connection.Database.DataError("string or blob too big"))
            for name in ("fetchone", "fetchmany", "fetchall"):
                with (
                    mock.patch.object(cursor.cursor, name, refused),
                    self.assertRaisesRegex(DataError, "too big"),
                ):
                    getattr(cursor, name)()

    def test_a_closed_cursor_has_no_rows(self):
        for _, cursor in self.each():
            cursor.execute("SELECT 1")
            cursor.close()
            for read in (
                cursor.fetchone,
                cursor.fetchmany,
                cursor.fetchall,
                lambda c=cursor: list(c),
            ):
                with self.assertRaisesRegex(ProgrammingError, "Cannot operate on a closed cursor"):
                    read()

    def test_a_statement_that_fails_leaves_no_rows(self):
        for _, cursor in self.each():
            cursor.execute("VALUES (1), (2)")
            with self.assertRaises(OperationalError):
                cursor.execute("SELECT missing")
            self.assertIsNone(cursor.description)
            self.assertEqual((cursor.rowcount, cursor.fetchall()), (-1, []))

    def test_no_transaction_ends_that_was_not_begun(self):
        for _, cursor in self.each():
            for action in ("commit", "rollback"):
                with self.assertRaisesRegex(OperationalError, f"cannot {action} - no transaction"):
                    cursor.execute(action.upper())

    def test_rows_in_parts(self):
        for _, cursor in self.each():
            cursor.execute("VALUES (1), (2), (3), (4)")
            self.assertEqual(cursor.fetchmany(), [(1,)])
            self.assertEqual(cursor.fetchmany(2), [(2,), (3,)])
            self.assertEqual(cursor.fetchmany(size=2), [(4,)])
            self.assertIsNone(cursor.fetchone())

    def test_pragmas_that_the_platform_decides(self):
        for alias in BACKENDS:
            connection = connections[alias]
            for sql, columns, rows in (
                ("PRAGMA synchronous = NORMAL;", None, []),
                ("pragma main.cache_size(-2000)", None, []),
                ("\nPRAGMA temp_store = 'MEMORY'\n", None, []),
                ("PRAGMA journal_mode=WAL", ["journal_mode"], [("wal",)]),
                ("PRAGMA busy_timeout = 5000;", ["timeout"], [(5000,)]),
                ("PRAGMA mmap_size = 134217728", ["mmap_size"], [(134217728,)]),
                ("PRAGMA foreign_keys = OFF", None, []),
            ):
                with self.subTest(sql, alias=alias), connection.cursor() as cursor:
                    cursor.execute("SELECT 1 AS one")
                    cursor.execute(sql)
                    names = cursor.description and [column[0] for column in cursor.description]
                    self.assertEqual((names, cursor.fetchall()), (columns, rows))
            with self.subTest("foreign keys are checked as before", alias=alias):
                with connection.cursor() as cursor:
                    cursor.execute("PRAGMA foreign_keys")
                    self.assertEqual(cursor.fetchall(), [(1,)])

    def test_other_pragmas_are_asked_for(self):
        for alias in BACKENDS:
            with self.subTest(alias), connections[alias].cursor() as cursor:
                cursor.execute("PRAGMA table_xinfo(sqlite_master)")
                self.assertEqual(len(cursor.fetchall()), 5)
                cursor.execute("PRAGMA quick_check")
                self.assertEqual(cursor.fetchall(), [("ok",)])
                with self.assertRaisesRegex(DatabaseError, "not authorized"):
                    cursor.execute("PRAGMA user_version = 3")
