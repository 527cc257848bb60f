"""What the two wrappers share."""

from collections.abc import Iterable

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.sqlite3.base import DatabaseWrapper as SQLiteDatabaseWrapper
from django.utils.asyncio import async_unsafe

from . import dbapi
from .client import DatabaseClient
from .creation import DatabaseCreation
from .cursors import CursorWrapper
from .driver import Driver, DriverError
from .features import DatabaseFeatures
from .introspection import DatabaseIntrospection
from .operations import DatabaseOperations
from .schema import DatabaseSchemaEditor
from .validation import DatabaseValidation


class DatabaseWrapper(SQLiteDatabaseWrapper):
    """
    Django's SQLite backend over a ``Driver``.

    A subclass gives ``open_driver`` and ``default_name``.
    """

    #: What the settings name that say no NAME.
    default_name: str

    Database = dbapi
    SchemaEditorClass = DatabaseSchemaEditor
    client_class = DatabaseClient
    creation_class = DatabaseCreation
    features_class = DatabaseFeatures
    introspection_class = DatabaseIntrospection
    ops_class = DatabaseOperations
    validation_class = DatabaseValidation
    # Of BEGIN: the platform has one kind of transaction.
    transaction_mode = None

    def __init__(self, settings_dict, *args, **kwargs):
        settings_dict["NAME"] = settings_dict["NAME"] or self.default_name
        super().__init__(settings_dict, *args, **kwargs)

    def open_driver(self, settings_dict: dict) -> Driver:
        """Return an open driver for the database that these settings name."""
        raise NotImplementedError("subclasses of DatabaseWrapper must provide open_driver()")

    def get_connection_params(self):
        return self.settings_dict

    def get_database_version(self):
        """Return the version whose features can be relied on; the real one can't be asked for."""
        return dbapi.sqlite_version_info

    def connection_over(self, driver: Driver) -> dbapi.Connection:
        """Return a connection of DB-API 2.0 over an open driver."""
        return dbapi.connect(driver)

    @async_unsafe
    def get_new_connection(self, conn_params):
        try:
            return self.connection_over(self.open_driver(conn_params))
        except DriverError as error:
            raise dbapi.translate(error) from error

    def close_if_health_check_failed(self):
        # Closed by a copy of this wrapper, as Django's tests of test databases do.
        if self.connection is not None and self.connection.closed and not self.in_atomic_block:
            self.connection = None
        super().close_if_health_check_failed()

    def is_usable(self):
        return self.connection is not None and not self.connection.closed

    def create_cursor(self, name=None):
        return self.connection.cursor()

    def make_cursor(self, cursor):
        return CursorWrapper(cursor, self)

    @async_unsafe
    def close(self):
        # Django's SQLite backend keeps an in-memory database open here.
        BaseDatabaseWrapper.close(self)

    def is_in_memory_db(self):
        return False

    def _set_autocommit(self, autocommit):
        with self.wrap_database_errors:
            if autocommit:
                self.connection.commit()
            self.connection.autocommit = autocommit

    def disable_constraint_checking(self):
        """Check foreign keys at the end of the open transaction; without one they stay checked."""
        with self.wrap_database_errors:
            self.ensure_connection()
            return self.connection.defer_constraints()

    def execute_all(self, statements: Iterable[str]) -> None:
        """Run statements, all or none, with foreign keys checked at the end."""
        self.ensure_connection()
        with self.wrap_database_errors, self.connection as connection:
            connection.begin()
            connection.defer_constraints()
            for sql in statements:
                connection.cursor().execute(sql)

    def enable_constraint_checking(self):
        """Do nothing: they are checked when the transaction commits."""
