from django_on_workers.db.sqlite.operations import DatabaseOperations as BaseDatabaseOperations


class DatabaseOperations(BaseDatabaseOperations):
    """As SQLite on Workers has it."""
