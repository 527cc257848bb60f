"""
Schema changes with foreign keys that can't be switched off.

Django's SQLite backend switches them off while it rebuilds a table. Here they
stay on, and that has consequences (https://www.sqlite.org/foreignkeys.html):

``DROP TABLE`` first deletes the rows, which fires the ``ON DELETE`` actions of
tables that refer to it and counts their rows as violations. The count only
goes down again when rows with the same keys are *inserted* under the table's
name, not when a full table is renamed to it; and if it is not zero in the end,
workerd resets the whole object instead of refusing the commit. So the rows of
a table that others refer to wait in a third table, and are inserted last.

Foreign keys are declared without ``DEFERRABLE INITIALLY DEFERRED`` for the
same reason: outside a transaction, a violation of a deferred one resets the
object too. Inside one, ``dbapi.Connection`` defers them when it matters.
"""

import sys

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.sqlite3.schema import DatabaseSchemaEditor as SQLiteDatabaseSchemaEditor
from django.db.backends.utils import strip_quotes
from django.db.models import AutoField
from django.db.transaction import atomic
from django.db.utils import NotSupportedError

from .statements import UnsupportedParameter, adapter_for, literal

NO_ACTION = "NO ACTION"

#: Far from every key in use: keys are moved down by it before their table is dropped.
KEY_SHIFT = 2**62


REFERENCES_QUERY = """
    SELECT m.name, coalesce(f."to", ''), f.on_update, f.on_delete
    FROM sqlite_master m, pragma_foreign_key_list(m.name) f
    WHERE m.type = 'table' AND substr(m.name, 1, 4) <> '_cf_'
        AND lower(f."table") = lower(%s)
"""


class DeferredStatements(list):
    """
    Statements for the end of a schema change.

    Never true: Django records a migration inside its transaction only when
    nothing is deferred, and it belongs there always.
    """

    def __bool__(self):
        return False


class DatabaseSchemaEditor(SQLiteDatabaseSchemaEditor):
    sql_create_inline_fk = SQLiteDatabaseSchemaEditor.sql_create_inline_fk.replace(
        " DEFERRABLE INITIALLY DEFERRED", ""
    )
    sql_create_column_inline_fk = sql_create_inline_fk

    #: The rebuild that is under way.
    _rebuild = None

    @property
    def deferred_sql(self):
        return self._deferred_sql

    @deferred_sql.setter
    def deferred_sql(self, statements):
        self._deferred_sql = DeferredStatements(statements) if self.is_one else statements

    @property
    def is_one(self) -> bool:
        """Whether everything until the editor's end is done completely or not at all."""
        return self.atomic_migration

    def __enter__(self):
        BaseDatabaseSchemaEditor.__enter__(self)
        self._defer_constraints()
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        if exc_type is None and not self.collect_sql:
            try:
                for sql in self.deferred_sql:
                    self.execute(sql, None)
                self.deferred_sql = []
                self._check_constraints()
            except BaseException:
                BaseDatabaseSchemaEditor.__exit__(self, *sys.exc_info())
                raise
        BaseDatabaseSchemaEditor.__exit__(self, exc_type, exc_value, traceback)

    def _defer_constraints(self):
        if self.connection.in_atomic_block:
            self.connection.disable_constraint_checking()

    def _check_constraints(self):
        self.connection.check_constraints()

    def quote_value(self, value):
        try:
            adapter = adapter_for(type(value))
            value = value if adapter is None else adapter(value)
        except UnsupportedParameter as error:
            raise ValueError(f"Cannot quote parameter value {value!r}") from error
        if isinstance(value, int):
            return str(value)
        return literal(value)

    def execute(self, sql, params=()):
        rebuild = self._rebuild
        if rebuild is not None and str(sql).startswith(rebuild.copy_prefix):
            if rebuild.keeps_sequence:
                self.run(rebuild.keep_sequence_sql(), None)
            if rebuild.is_referenced:
                rebuild.copy_sql = str(sql)
                sql = rebuild.stash_sql()
            # Its values are literals; a percent sign in one of them is no placeholder.
            return self.run(sql, None)
        return self.run(sql, params)

    def run(self, sql, params=()):
        """Execute a statement as it is."""
        super().execute(sql, params)

    def _remake_table(self, model, create_field=None, delete_field=None, alter_fields=None):
        def remake():
            outer, self._rebuild = self._rebuild, Rebuild(self, model, alter_fields or ())
            try:
                SQLiteDatabaseSchemaEditor._remake_table(
                    self, model, create_field, delete_field, alter_fields
                )
            finally:
                self._rebuild = outer

        self._remake_in_one(remake)

    def _remake_in_one(self, remake):
        """Rebuild a table completely or not at all."""
        if self.connection.in_atomic_block or self.collect_sql:
            remake()
        else:
            with atomic(self.connection.alias):
                self._defer_constraints()
                remake()
                self._check_constraints()

    def delete_model(self, model, handle_autom2m=True):
        rebuild = self._rebuild
        if not handle_autom2m and rebuild is not None and rebuild.is_referenced:
            for sql in rebuild.detach_sql():
                self.run(sql, None)
        super().delete_model(model, handle_autom2m=handle_autom2m)

    def alter_db_table(self, model, old_db_table, new_db_table):
        super().alter_db_table(model, old_db_table, new_db_table)
        rebuild = self._rebuild
        if rebuild is not None and rebuild.copy_sql is not None:
            for sql in rebuild.restore_sql():
                self.run(sql, None)
            rebuild.copy_sql = None

    def references_to(self, table: str) -> list[tuple[str, str, str, str]]:
        """
        Return (child table, parent column, ON UPDATE, ON DELETE) of foreign keys to a table.

        A table that refers to itself is one of its children.
        """
        with self.connection.cursor() as cursor:
            cursor.execute(REFERENCES_QUERY, (table,))
            return cursor.fetchall()


class Rebuild:
    """One table's way into its new shape."""

    def __init__(self, editor: DatabaseSchemaEditor, model, alter_fields):
        self.model = model
        self.alter_fields = alter_fields
        self.table = strip_quotes(model._meta.db_table)
        self.quote = editor.connection.ops.quote_name
        self.references = editor.references_to(self.table)
        self.copy_sql: str | None = None
        self.copy_prefix = f"INSERT INTO {self.quote(f'new__{self.table}')} ("

    @property
    def is_referenced(self) -> bool:
        return bool(self.references)

    @property
    def keeps_sequence(self) -> bool:
        """Whether ids that were given out and deleted must not be given out again."""
        before = self.model._meta.pk
        after = next((new for old, new in self.alter_fields if old.primary_key), before)
        introduced = any(new.primary_key and not old.primary_key for old, new in self.alter_fields)
        return isinstance(before, AutoField) and isinstance(after, AutoField) and not introduced

    def keep_sequence_sql(self) -> str:
        return (
            f"INSERT INTO sqlite_sequence (name, seq) SELECT {literal(f'new__{self.table}')}, seq "
            f"FROM sqlite_sequence WHERE name = {literal(self.table)}"
        )

    @property
    def stash(self) -> str:
        return self.quote(f"old__{self.table}")

    def stash_sql(self) -> str:
        return f"CREATE TABLE {self.stash} AS SELECT * FROM {self.quote(self.table)}"

    def detach_sql(self):
        """Give the statements after which dropping the table does nothing to other tables."""
        table = self.quote(self.table)
        key = self.model._meta.pk.column
        columns = {column or key for _, column, _, _ in self.references}
        acting = {column or key for _, column, _, action in self.references if action != NO_ACTION}
        for child, column, on_update, _ in self.references:
            # Its rows would follow the keys that are moved out of the others' reach.
            if on_update != NO_ACTION and (column or key) in acting:
                raise NotSupportedError(
                    f"Table {self.table} can't be rebuilt: table {child} refers to it with "
                    f"ON UPDATE {on_update}, and there is an ON DELETE action too."
                )
        if acting:
            yield "PRAGMA ignore_check_constraints = ON"
            for column in sorted(acting):
                yield f"UPDATE {table} SET {self.quote(column)} = {self._moved(column)}"
            yield "PRAGMA ignore_check_constraints = OFF"
        # Foreign keys follow a column that is renamed, and would not find one that is replaced.
        for old, new in self.alter_fields:
            if old.column != new.column and old.column in columns:
                old_name, new_name = self.quote(old.column), self.quote(new.column)
                yield f"ALTER TABLE {table} RENAME COLUMN {old_name} TO {new_name}"

    def _moved(self, column: str) -> str:
        """Return SQL for a key that no row of another table has, one for each."""
        field = next((f for f in self.model._meta.local_fields if f.column == column), None)
        name = self.quote(column)
        if isinstance(field, AutoField) or (
            field is not None and "IntegerField" in field.get_internal_type()
        ):
            return f"{name} - {KEY_SHIFT}"
        return f"char(1) || {name}"

    def restore_sql(self):
        """Give the statements that put the rows into the new table."""
        table, new_table = self.quote(self.table), self.quote(f"new__{self.table}")
        head, tail = self.copy_sql.split(" SELECT ", 1)
        body, _, _ = tail.rpartition(f" FROM {table}")
        yield f"{head.replace(new_table, table, 1)} SELECT {body} FROM {self.stash}"
        yield f"DROP TABLE {self.stash}"
