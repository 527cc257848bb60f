from django_on_workers.db.sqlite.creation import DatabaseCreation as BaseDatabaseCreation


class DatabaseCreation(BaseDatabaseCreation):
    """As SQLite on Workers has it."""
