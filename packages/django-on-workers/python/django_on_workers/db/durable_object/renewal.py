"""
A transaction that begins anew, so that it is not open for too long.

Django runs the tests of a class inside one transaction, which it rolls back after the last of them.
The platform gives a transaction 30 seconds, and some classes take longer.
"""

from collections.abc import Collection, Iterator
from itertools import islice
from typing import NamedTuple

from django_on_workers.db.sqlite.dbapi import Connection, OperationalError

__all__ = ["renew"]

#: Characters of values that one statement gets, unless one row has more; it may have ten times that.
LENGTH = 10_000
#: Columns that are read at once; a row of a result has 100 at most.
COLUMNS = 50
SEQUENCES = "sqlite_sequence"

#: By row id, as all values an SQL literal: the values of a table's columns that can be set.
Rows = dict[str, tuple[str, ...]]


class Contents(NamedTuple):
    #: Types, names and definitions of everything in the database.
    schema: list[tuple]
    #: By table.
    columns: dict[str, list[str]]
    rows: dict[str, Rows]


def renew(connection: Connection) -> bool:
    """
    Roll the open transaction back, begin another one, and do in it what was done in the first.

    Return whether that was done: it is not where triggers or virtual tables would do more.
    Raise OperationalError if the first one made, altered or dropped a table.
    """
    changed = contents(connection)
    if changed is None:
        return False
    connection.rollback()
    unchanged = contents(connection)
    connection.begin()
    connection.defer_constraints()
    if unchanged is None or unchanged.schema != changed.schema:
        raise OperationalError(
            "This transaction has been rolled back: tests of this class have taken more seconds than one transaction "
            "is given, and it can't be begun anew, because the class changes tables. Make it a TransactionTestCase."
        )
    cursor = connection.cursor()
    tables = sorted(changed.columns, key=lambda table: table == SEQUENCES)  # those follow the rows
    for table in tables:
        columns = changed.columns[table]
        before = (
            contents_of(connection, table, columns) if table == SEQUENCES else unchanged.rows[table]
        )
        for statement in differences(table, columns, before, changed.rows[table]):
            cursor.execute(statement)
    return True


def contents(connection: Connection) -> Contents | None:
    """Return what is in the database; None if something in it can't be told by rows."""
    cursor = connection.cursor()
    schema = cursor.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE substr(lower(name), 1, 4) <> '_cf_' ORDER BY type, name"
    ).fetchall()
    if any(
        kind == "trigger" or (sql or "").upper().startswith("CREATE VIRTUAL")
        for kind, _, sql in schema
    ):
        return None
    columns = {}
    for kind, table, _ in schema:
        if kind == "table":
            described = cursor.execute(f"PRAGMA table_xinfo({quoted(table)})").fetchall()
            columns[table] = [name for _, name, _, _, _, _, hidden in described if hidden == 0]
    return Contents(
        schema,
        columns,
        {table: contents_of(connection, table, columns[table]) for table in columns},
    )


def contents_of(connection: Connection, table: str, columns: list[str]) -> Rows:
    rows: Rows = {}
    for some in batched(columns, COLUMNS):
        values = ", ".join(f"quote({quoted(column)})" for column in some)
        found = connection.cursor().execute(f"SELECT quote(_rowid_), {values} FROM {quoted(table)}")
        for row, *literals in found.fetchall():
            rows[row] = (*rows.get(row, ()), *literals)
    return rows


def differences(table: str, columns: list[str], before: Rows, after: Rows) -> Iterator[str]:
    """Statements that make the rows of a table others."""
    name = quoted(table)
    for some in batched(before.keys() - after.keys(), 500):
        yield f"DELETE FROM {name} WHERE _rowid_ IN ({', '.join(some)})"
    for row in before.keys() & after.keys():
        if before[row] != after[row]:
            values = zip(columns, before[row], after[row], strict=True)
            changes = ", ".join(
                f"{quoted(column)} = {new}" for column, old, new in values if old != new
            )
            yield f"UPDATE {name} SET {changes} WHERE _rowid_ = {row}"
    start = f"INSERT INTO {name} ({', '.join(['_rowid_', *map(quoted, columns)])}) VALUES "
    statement = ""
    for row in sorted(after.keys() - before.keys(), key=int):
        values = f"({', '.join([row, *after[row]])})"
        if statement and len(statement) + len(values) > LENGTH:
            yield statement
            statement = ""
        statement += f", {values}" if statement else start + values
    if statement:
        yield statement


def batched(items: Collection[str], size: int) -> Iterator[list[str]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
