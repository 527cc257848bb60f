from django_on_workers.db.sqlite.introspection import (
    DatabaseIntrospection as BaseDatabaseIntrospection,
)


class DatabaseIntrospection(BaseDatabaseIntrospection):
    """As SQLite on Workers has it."""
