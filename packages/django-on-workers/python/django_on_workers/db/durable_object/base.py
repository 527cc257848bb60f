from django_on_workers.db.sqlite.base import DatabaseWrapper as BaseDatabaseWrapper
from django_on_workers.db.sqlite.driver import Driver

from .client import DatabaseClient
from .creation import DatabaseCreation
from .features import DatabaseFeatures
from .introspection import DatabaseIntrospection
from .operations import DatabaseOperations
from .schema import DatabaseSchemaEditor


class DatabaseWrapper(BaseDatabaseWrapper):
    """Django's SQLite backend over a Durable Object's SQLite."""

    SchemaEditorClass = DatabaseSchemaEditor
    client_class = DatabaseClient
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations

    def open_driver(self, settings_dict: dict) -> Driver:
        # Only inside workerd is there what the driver imports.
        from .driver import connect

        return connect(settings_dict)
