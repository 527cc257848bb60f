import logging

from django.core.exceptions import ImproperlyConfigured
from django.utils.asyncio import async_unsafe

from django_on_workers.db.sqlite.base import DatabaseWrapper as BaseDatabaseWrapper
from django_on_workers.db.sqlite.driver import Driver

from . import dbapi
from .client import DatabaseClient
from .creation import DatabaseCreation
from .features import DatabaseFeatures
from .introspection import DatabaseIntrospection
from .operations import DatabaseOperations
from .schema import DatabaseSchemaEditor

logger = logging.getLogger("django_on_workers.db.d1")

WARN, RAISE, IGNORE = "warn", "raise", "ignore"

#: Databases whose lack of transactions was told about, once for each.
warned: set[str] = set()


class DatabaseWrapper(BaseDatabaseWrapper):
    """
    Django's SQLite backend over D1.

    ``OPTIONS["atomic"]`` says what ``transaction.atomic()`` does, as D1 has no
    transactions: ``"warn"`` (the default) lets every statement take effect by
    itself and logs a warning once, ``"ignore"`` does so without one, and
    ``"raise"`` raises NotSupportedError. A migration is one batch in any case.
    """

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

    @property
    def atomic_mode(self) -> str:
        mode = self.settings_dict["OPTIONS"].get("atomic", WARN)
        if mode not in (WARN, RAISE, IGNORE):
            raise ImproperlyConfigured(
                f"DATABASES[{self.alias!r}]['OPTIONS']['atomic'] is {mode!r}. "
                f"Use {WARN!r}, {RAISE!r} or {IGNORE!r}."
            )
        return mode

    @async_unsafe
    def get_new_connection(self, conn_params):
        if self.atomic_mode == WARN and self.alias not in warned:
            warned.add(self.alias)
            logger.warning(
                "Database %r is D1, which has no transactions: inside atomic() every statement "
                "takes effect at once, and stays when the block fails. DATABASES[%r]['OPTIONS']"
                "['atomic'] = 'raise' makes atomic() an error, 'ignore' silences this warning.",
                self.alias,
                self.alias,
            )
        return dbapi.Connection(self.open_driver(conn_params))

    def _set_autocommit(self, autocommit):
        if not autocommit:
            self._start_transaction_under_autocommit()

    def _start_transaction_under_autocommit(self):
        if self.atomic_mode == RAISE and self.connection.collected is None:
            with self.wrap_database_errors:
                self.connection.begin()

    def _commit(self):
        pass

    _rollback = _commit

    # Savepoints exist for Django's bookkeeping, so that a block that failed
    # inside another one does not end the outer one too.

    def _savepoint(self, sid):
        pass

    _savepoint_commit = _savepoint_rollback = _savepoint

    def disable_constraint_checking(self):
        """Let rows refer to rows that come later, until constraint checking is enabled again."""
        self.ensure_connection()
        if self.connection.postponed is None:
            self.connection.postponed = []
        return True

    def enable_constraint_checking(self):
        statements, self.connection.postponed = self.connection.postponed, None
        if statements:
            with self.wrap_database_errors:
                self.connection.batch(statements)

    def execute_all(self, statements):
        self.ensure_connection()
        with self.wrap_database_errors:
            self.connection.batch([(sql, ()) for sql in statements])
