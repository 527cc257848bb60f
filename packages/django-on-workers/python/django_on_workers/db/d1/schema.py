import re

from django_on_workers.db.sqlite.schema import REFERENCES_QUERY
from django_on_workers.db.sqlite.schema import DatabaseSchemaEditor as BaseDatabaseSchemaEditor

ON_DELETE = re.compile(r" ON DELETE (CASCADE|SET NULL|SET DEFAULT|RESTRICT)")


class DatabaseSchemaEditor(BaseDatabaseSchemaEditor):
    """
    Collects the statements of a migration and sends them as one batch.

    An operation that has to read what an earlier one of the same migration
    changed (``RunPython``) sends what there is first.
    """

    is_one = True

    def __enter__(self):
        super().__enter__()
        self._collects = not self.collect_sql and self.connection.connection.collected is None
        if self._collects:
            self.connection.connection.collect()
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        connection = self.connection.connection
        try:
            super().__exit__(exc_type, exc_value, traceback)
            if self._collects and exc_type is None:
                with self.connection.wrap_database_errors:
                    connection.send()
        finally:
            if self._collects:
                connection.discard()

    def _remake_in_one(self, remake):
        # The batch is the transaction.
        remake()

    def _check_constraints(self):
        """Do nothing: the batch ends with the check."""

    def references_to(self, table):
        connection = self.connection.connection
        found = connection.peek(REFERENCES_QUERY, (table,))
        name = self.connection.ops.quote_name(table)
        for sql, _ in connection.collected or ():
            for definition in sql.split(",") if f"REFERENCES {name} " in sql else ():
                if f"REFERENCES {name} " in definition:
                    action = ON_DELETE.search(definition)
                    found.append((sql, "", "NO ACTION", action[1] if action else "NO ACTION"))
        return found
