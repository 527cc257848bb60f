"""What stands between Django and a cursor of the DB-API."""

from django.apps import apps
from django.db.backends.utils import CursorWrapper as DjangoCursorWrapper

from .dbapi import Error


class CursorWrapper(DjangoCursorWrapper):
    """
    Django's, without the functions and context managers on its way to the cursor.

    They are half of what lies between a query and its driver, and whatever
    asks a database that waits finds the processor's caches empty.
    """

    def execute(self, sql, params=None):
        if self.db.execute_wrappers or self.db.needs_rollback or not apps.ready:
            return super().execute(sql, params)
        try:
            return self.cursor.execute(sql, params)
        except Error:
            with self.db.wrap_database_errors:
                raise

    def fetchone(self):
        try:
            return self.cursor.fetchone()
        except Error:
            with self.db.wrap_database_errors:
                raise

    def fetchmany(self, size=None):
        try:
            return self.cursor.fetchmany(size)
        except Error:
            with self.db.wrap_database_errors:
                raise

    def fetchall(self):
        try:
            return self.cursor.fetchall()
        except Error:
            with self.db.wrap_database_errors:
                raise
