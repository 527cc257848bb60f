from django_on_workers.db.sqlite.client import DatabaseClient as BaseDatabaseClient


class DatabaseClient(BaseDatabaseClient):
    """As SQLite on Workers has it."""
