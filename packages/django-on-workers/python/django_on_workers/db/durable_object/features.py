from django_on_workers.db.sqlite.features import DatabaseFeatures as BaseDatabaseFeatures


class DatabaseFeatures(BaseDatabaseFeatures):
    """As SQLite on Workers has it."""
