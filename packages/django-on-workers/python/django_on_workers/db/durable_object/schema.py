from django_on_workers.db.sqlite.schema import DatabaseSchemaEditor as BaseDatabaseSchemaEditor


class DatabaseSchemaEditor(BaseDatabaseSchemaEditor):
    """As SQLite on Workers has it."""
