import sqlite3
from contextlib import closing

from django_on_workers.db.sqlite.schema import REFERENCES_QUERY
from django_on_workers.db.sqlite.schema import DatabaseSchemaEditor as BaseDatabaseSchemaEditor

from .preview import preview

DEFINITIONS_QUERY = """
    SELECT sql FROM sqlite_master
    WHERE type = 'table' AND substr(name, 1, 4) <> '_cf_' AND substr(name, 1, 7) <> 'sqlite_'
        AND substr(sql, 1, 14) <> 'CREATE VIRTUAL'
"""


class DatabaseSchemaEditor(BaseDatabaseSchemaEditor):
    """
    Collects the statements of a migration and sends them as one batch.

    An operation that has to read what an earlier one of the same migration
    changed (``RunPython``) sends what there is first.
    """

    def __init__(self, connection, collect_sql=False, atomic=True):
        super().__init__(connection, collect_sql, atomic)
        self._is_one = atomic

    @property
    def is_one(self):
        return self._is_one

    def __enter__(self):
        super().__enter__()
        self._collects = self._is_one and not self.collect_sql and self._start()
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        try:
            super().__exit__(exc_type, exc_value, traceback)
            if self._collects and exc_type is None:
                self._send()
        finally:
            if self._collects:
                self.connection.connection.discard()

    def run(self, sql, params=()):
        self.connection.ensure_connection()
        connection = self.connection.connection
        before, connection.collects_all = connection.collects_all, True
        try:
            super().run(sql, params)
        finally:
            connection.collects_all = before

    def _start(self) -> bool:
        """Begin a batch, and return whether it is a new one."""
        self.connection.ensure_connection()
        connection = self.connection.connection
        if connection.collected is not None:
            return False
        connection.collect()
        return True

    def _send(self):
        with self.connection.wrap_database_errors:
            self.connection.connection.send()

    def _remake_in_one(self, remake):
        if self.collect_sql or not self._start():
            return remake()
        try:
            remake()
            self._send()
        finally:
            self.connection.connection.discard()

    def _defer_constraints(self):
        """Do nothing: a batch begins with that."""

    def _check_constraints(self):
        """Do nothing: a batch ends with that."""

    def references_to(self, table):
        self.connection.ensure_connection()
        connection = self.connection.connection
        collected = [sql for sql, _ in connection.collected or ()]
        if collected:
            definitions = [sql for (sql,) in connection.peek(DEFINITIONS_QUERY)]
            try:
                with closing(preview(definitions, collected)) as database:
                    return database.execute(
                        REFERENCES_QUERY.replace("%s", "?"), (table,)
                    ).fetchall()
            except sqlite3.Error:
                # Only D1 itself can tell: it has to be sent.
                with self.connection.wrap_database_errors:
                    connection.flush()
        return super().references_to(table)
