"""The schema as statements that were not sent yet will leave it."""

import re
import sqlite3
from collections.abc import Iterable

DEFINES = re.compile(r"\s*(?:CREATE|ALTER|DROP)\s+TABLE\b", re.IGNORECASE)
NO_SUCH_FUNCTION = re.compile(r"no such function: (\w+)")


def preview(definitions: Iterable[str], statements: Iterable[str]) -> sqlite3.Connection:
    """
    Return a database in memory that has these tables, without rows, after these statements.

    SQLite itself follows what they rename, drop and create. Raise ``sqlite3.Error`` where this
    SQLite, which is another than D1's, can't.
    """
    database = sqlite3.connect(":memory:")
    try:
        for sql in (*definitions, *statements):
            if DEFINES.match(sql):
                _execute(database, sql)
    except BaseException:
        database.close()
        raise
    return database


def _execute(database: sqlite3.Connection, sql: str) -> None:
    while True:
        try:
            database.execute(sql)
            return
        except sqlite3.OperationalError as error:
            missing = NO_SUCH_FUNCTION.search(str(error))
            if missing is None:
                raise
            # A constraint or a generated column uses it; without rows it is never called.
            database.create_function(missing[1], -1, _never, deterministic=True)


def _never(*args):
    raise NotImplementedError
