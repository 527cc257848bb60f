"""
Test databases.

A test database is another database than the one that the settings name:
``settings_dict["TEST"]["NAME"]``, or else the name with ``test_`` before it.
What a name stands for (an object, a binding) the driver knows: it is opened
with the settings of the test database, under that name.
"""

from collections import defaultdict

from django.core.exceptions import ImproperlyConfigured
from django.db import NotSupportedError
from django.db.backends.base.creation import TEST_DATABASE_PREFIX, BaseDatabaseCreation


class DatabaseCreation(BaseDatabaseCreation):
    def __init__(self, connection):
        super().__init__(connection)
        #: The databases that tests were given; no other is ever emptied here.
        self.test_names: set[str] = set()

    def _get_test_db_name(self):
        """Return the test database's name; raise ImproperlyConfigured if it is the real one's."""
        settings_dict = self.connection.settings_dict
        name = settings_dict["NAME"]
        if name in self.test_names:
            return name
        test_name = settings_dict["TEST"]["NAME"] or f"{TEST_DATABASE_PREFIX}{name}"
        if test_name == name:
            raise ImproperlyConfigured(
                f"DATABASES[{self.connection.alias!r}]['TEST']['NAME'] is {name!r}, which is the "
                "database itself: tests would destroy its data. Name another one."
            )
        return test_name

    def _create_test_db(self, verbosity, autoclobber, keepdb=False):
        name = self._get_test_db_name()
        self.test_names.add(name)
        if not keepdb:
            self._empty(name)
        return name

    def _destroy_test_db(self, test_database_name, verbosity):
        self._empty(test_database_name)
        self.test_names.discard(test_database_name)

    def _empty(self, name):
        """Drop everything in a test database."""
        if name not in self.test_names:
            raise ImproperlyConfigured(f"{name!r} is not a test database: it is left as it is.")
        settings_dict = {**self.connection.settings_dict, "NAME": name}
        connection = self.connection.__class__(settings_dict, alias=self.connection.alias)
        try:
            drop_everything(connection)
        finally:
            connection.close()

    def test_db_signature(self):
        return self.connection.settings_dict["ENGINE"], self._get_test_db_name()

    def get_test_db_clone_settings(self, suffix):
        raise NotSupportedError("Tests run in one process: use --parallel=1.")


#: The columns that each foreign key refers to, in their order; NULL where it is the primary key.
KEYS_QUERY = """
    SELECT lower(f."table"), m.name, f.id, f."to"
    FROM sqlite_master m, pragma_foreign_key_list(m.name) f
    WHERE m.type = 'table' AND substr(m.name, 1, 4) <> '_cf_'
    ORDER BY m.name, f.id, f.seq
"""


def drop_everything(connection):
    """
    Drop all tables and views of a database.

    ``DROP TABLE`` compiles the ``ON DELETE`` actions of the tables that refer to a table, and fails
    if these refer to yet another one that is gone. So an empty table takes the place of each one
    that others refer to, until there are no foreign keys left.
    """
    with connection.cursor() as cursor:
        tables = connection.introspection.get_table_list(cursor)
        keys = defaultdict(lambda: defaultdict(list))
        for parent, child, number, column in cursor.execute(KEYS_QUERY).fetchall():
            keys[parent][child, number].append(column)
    quote = connection.ops.quote_name
    statements, places = [], []
    for table in sorted(tables, key=lambda table: table.type != "v"):
        name = quote(table.name)
        statements.append(f"DROP {'VIEW' if table.type == 'v' else 'TABLE'} {name}")
        if referred := keys.get(table.name.lower()):
            statements.append(f"CREATE TABLE {name} ({_placeholder(referred.values(), quote)})")
            places.append(f"DROP TABLE {name}")
    connection.execute_all(statements + places)


def _placeholder(keys, quote):
    """Return the definition of a table with nothing but these keys."""
    columns, constraints = {}, set()
    for key in keys:
        kind = "PRIMARY KEY" if key[0] is None else "UNIQUE"
        names = [
            quote(f"key {index}" if column is None else column) for index, column in enumerate(key)
        ]
        columns.update(dict.fromkeys(names))
        constraints.add(f"{kind} ({', '.join(names)})")
    return ", ".join([*columns, *sorted(constraints)])
