import logging

from django.core.exceptions import ImproperlyConfigured

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

#: Where a session starts: https://developers.cloudflare.com/d1/worker-api/d1-database/#withsession
FIRST_PRIMARY, FIRST_UNCONSTRAINED = "first-primary", "first-unconstrained"

#: Databases whose lack of transactions was told about, once for each.
warned: set[str] = set()


class DatabaseWrapper(BaseDatabaseWrapper):
    """
    Django's SQLite backend over D1. ``NAME`` is the binding's, ``"DB"`` by default.

    ``OPTIONS["atomic"]`` says what ``transaction.atomic()`` does, as D1 has no
    transactions: ``"warn"`` (the default) lets every statement take effect by
    itself and logs a warning once, ``"ignore"`` does so without one, and
    ``"raise"`` raises NotSupportedError. A migration is one batch in any case.

    ``OPTIONS["session"]`` lets replicas serve what a request reads, in one D1
    session a request, which starts at ``"first-primary"`` or
    ``"first-unconstrained"``. Without it every statement goes to the primary
    database. ``middleware.py`` carries a session from one request to the next.
    """

    SchemaEditorClass = DatabaseSchemaEditor
    client_class = DatabaseClient
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations

    #: The binding that a build makes where the Wrangler configuration has none.
    default_name = "DB"
    #: Where the session of this request starts instead: what an earlier one has written is there.
    bookmark: str | None = None

    def open_driver(self, settings_dict: dict) -> Driver:
        # Only inside workerd is there what the driver imports.
        from .driver import connect

        constraint = self.session_constraint
        return connect(settings_dict, constraint and (self.bookmark or constraint))

    def written_bookmark(self) -> str | None:
        """Return where a session must start to see what this request has written, None if nothing."""
        from .driver import bookmark

        return bookmark(self.settings_dict)

    @property
    def atomic_mode(self) -> str:
        return self._option("atomic", WARN, RAISE, IGNORE)

    @property
    def session_constraint(self) -> str | None:
        return self._option("session", None, FIRST_PRIMARY, FIRST_UNCONSTRAINED)

    def _option(self, name: str, *values: str | None):
        """Return an option, or the first of its possible values where it is not set."""
        value = self.settings_dict["OPTIONS"].get(name, values[0])
        if value not in values:
            raise ImproperlyConfigured(
                f"DATABASES[{self.alias!r}]['OPTIONS'][{name!r}] is {value!r}. "
                f"Use one of {', '.join(map(repr, values))}."
            )
        return value

    def connection_over(self, driver: Driver) -> dbapi.Connection:
        if self.atomic_mode == WARN and self.alias not in warned:
            warned.add(self.alias)
            logger.warning(
                "Database %r is D1, which has no transactions: inside atomic() every statement "
                "takes effect at once, and stays when the block fails. DATABASES[%r]['OPTIONS']"
                "['atomic'] = 'raise' makes atomic() an error, 'ignore' silences this warning.",
                self.alias,
                self.alias,
            )
        return dbapi.Connection(driver)

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
