"""``manage.py dbshell``."""

from django.core.management.base import CommandError
from django.db.backends.sqlite3.client import DatabaseClient as SQLiteDatabaseClient


class DatabaseClient(SQLiteDatabaseClient):
    def runshell(self, parameters):
        """Refuse: a Worker has no terminal and starts no programs."""
        raise CommandError("dbshell is not available on Workers.")
