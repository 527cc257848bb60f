"""Introspection."""

from django.db import DatabaseError
from django.db.backends.sqlite3.introspection import (
    DatabaseIntrospection as SQLiteDatabaseIntrospection,
)
from django.db.backends.sqlite3.introspection import FieldInfo, get_field_size

# What PRAGMA table_xinfo calls hidden, besides columns of virtual tables.
PLAIN, VIRTUAL_GENERATED, STORED_GENERATED = 0, 2, 3


class DatabaseIntrospection(SQLiteDatabaseIntrospection):
    def get_table_list(self, cursor):
        # Names in _cf_ are the platform's own, and can't be read.
        return [
            table
            for table in super().get_table_list(cursor)
            if not table.name.lower().startswith("_cf_")
        ]

    def get_table_description(self, cursor, table_name):
        """
        Return a ``FieldInfo`` for each column.

        Django's own finds JSON columns with LIKE patterns, of which 50 bytes are allowed here.
        """
        columns = cursor.execute(
            f"PRAGMA table_xinfo({self.connection.ops.quote_name(table_name)})"
        ).fetchall()
        if not columns:
            raise DatabaseError(f"Table {table_name} does not exist (empty pragma).")
        row = cursor.execute(
            "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = %s", [table_name]
        ).fetchone()
        definition = row[0].lower() if row else ""
        collations = self._get_column_collations(cursor, table_name)
        composite = sum(bool(column[5]) for column in columns) > 1
        return [
            FieldInfo(
                name,
                data_type,
                get_field_size(data_type),
                None,
                None,
                None,
                not notnull,
                default,
                collations.get(name),
                bool(pk) and not composite,
                f'json_valid("{name.lower()}")' in definition,
            )
            for _, name, data_type, notnull, default, pk, hidden in columns
            if hidden in (PLAIN, VIRTUAL_GENERATED, STORED_GENERATED)
        ]
