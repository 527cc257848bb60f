"""
Test databases.

A test database is another database than the one its settings name, never the
same one under a flag: ``settings_dict["TEST"]["NAME"]``, or else the name with
``test_`` before it. What a name is (a Durable Object, a D1 binding), and
whether one is for tests, is for the driver to say.
"""

from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.creation import TEST_DATABASE_PREFIX, BaseDatabaseCreation


class DatabaseCreation(BaseDatabaseCreation):
    def _get_test_db_name(self):
        """Return the test database's name; raise ImproperlyConfigured if it is the real one's."""
        name = self.connection.settings_dict["NAME"]
        test_name = self.connection.settings_dict["TEST"]["NAME"] or TEST_DATABASE_PREFIX + str(
            name
        )
        if test_name == name and not getattr(self.connection, "is_test_database", False):
            raise ImproperlyConfigured(
                f"DATABASES[{self.connection.alias!r}]['TEST']['NAME'] is {name!r}, which is the "
                "database itself: tests would destroy its data. Name another one."
            )
        return test_name

    def _create_test_db(self, verbosity, autoclobber, keepdb=False):
        name = self._get_test_db_name()
        if not keepdb:
            self._empty(name)
        return name

    def _destroy_test_db(self, test_database_name, verbosity):
        self._empty(test_database_name)

    def _empty(self, name):
        """Drop everything in the database with this name."""
        settings_dict = {**self.connection.settings_dict, "NAME": name}
        connection = self.connection.__class__(settings_dict, alias=self.connection.alias)
        connection.is_test_database = True
        try:
            drop_everything(connection)
        finally:
            connection.close()

    def test_db_signature(self):
        return self.connection.settings_dict["ENGINE"], self._get_test_db_name()

    def get_test_db_clone_settings(self, suffix):
        settings_dict = self.connection.settings_dict
        return {**settings_dict, "NAME": f"{settings_dict['NAME']}_{suffix}"}


def drop_everything(connection):
    """Drop all tables and views of a database."""
    with connection.cursor() as cursor:
        tables = connection.introspection.get_table_list(cursor)
        quote = connection.ops.quote_name
        statements = [
            f"DROP {'VIEW' if table.type == 'v' else 'TABLE'} {quote(table.name)}"
            for table in sorted(tables, key=lambda table: table.type != "v")
        ]
    connection.execute_all(statements)
