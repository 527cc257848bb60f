from time import monotonic

from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from django_on_workers.db.sqlite.base import DatabaseWrapper as BaseDatabaseWrapper
from django_on_workers.db.sqlite.driver import Driver

from .client import DatabaseClient
from .creation import DatabaseCreation
from .features import DatabaseFeatures
from .introspection import DatabaseIntrospection
from .operations import DatabaseOperations
from .renewal import renew
from .schema import DatabaseSchemaEditor


class DatabaseWrapper(BaseDatabaseWrapper):
    """
    Django's SQLite backend over a Durable Object's SQLite.

    Of that there is one: connecting raises ImproperlyConfigured where two of DATABASES name it.
    """

    SchemaEditorClass = DatabaseSchemaEditor
    client_class = DatabaseClient
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations

    default_name = "storage"
    #: Seconds after which the transaction that Django opens for a class of tests begins anew.
    renewed_after = 5
    _began = 0.0

    def _start_transaction_under_autocommit(self):
        super()._start_transaction_under_autocommit()
        self._began = monotonic()

    def _savepoint_commit(self, sid):
        super()._savepoint_commit(sid)
        # Where only a test class's transaction is left, this was the savepoint of a test or of the class's data.
        of_class = len(self.atomic_blocks) == 1 and self.atomic_blocks[0]._from_testcase
        if of_class and monotonic() - self._began > self.renewed_after:
            with self.wrap_database_errors:
                renew(self.connection)
            self._began = monotonic()

    def open_driver(self, settings_dict: dict) -> Driver:
        # Only inside workerd is there what the driver imports.
        from .driver import connect

        self._check_alone()
        return connect(settings_dict)

    def _check_alone(self) -> None:
        """Another alias would begin and end the same transactions, and neither would know of it."""
        both = [
            alias
            for alias, other in connections.settings.items()
            if other["ENGINE"] == self.settings_dict["ENGINE"]
        ]
        if len(both) > 1:
            raise ImproperlyConfigured(
                f"DATABASES has {' and '.join(map(repr, both))} with the ENGINE {self.settings_dict['ENGINE']}, and a "
                "Durable Object has one storage, whose transactions they would share without knowing. Leave one of "
                "them, or name django_on_workers.db.d1 and a binding for the others."
            )
