"""The one interface between the backends and whatever runs SQL for them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

#: What can be bound, and what comes back.
type_of_value = None | int | float | str | bytes

#: Integers up to this size survive a JavaScript number, in both directions.
MAX_SAFE_INTEGER = 2**53 - 1


class Result(NamedTuple):
    """
    What one statement gave.

    Values are None, int, float, str or bytes. A number is an int when it is
    integral and at most ``MAX_SAFE_INTEGER`` in size, otherwise a float: an
    integer beyond that size arrives rounded, and the DB-API module reads it
    again exactly.
    """

    #: Column names; empty when the statement yields no rows.
    columns: tuple[str, ...] = ()
    #: The first chunk of rows, each a tuple.
    rows: list[tuple] = []
    #: Gives the next chunk, and ``[]`` at the end; None when ``rows`` is everything.
    more: Callable[[], list[tuple]] | None = None
    #: Rows changed by INSERT, UPDATE or DELETE, else -1.
    rowcount: int = -1
    #: Row id of the last INSERT, where there was one.
    lastrowid: int | None = None
    #: False when the driver knows that no number of ``rows`` was rounded, which spares a search.
    inexact: bool = True


class Driver(Protocol):
    """
    A connection to one SQLite database.

    ``execute`` and ``batch`` take SQL with ``?`` placeholders, and at most 100
    parameters, none of them an integer beyond ``MAX_SAFE_INTEGER``. Whatever
    the database refuses is raised as ``DriverError``; a string that is not
    valid Unicode as ``UnicodeEncodeError``.

    A result with ``more`` stays readable while other statements run.
    """

    def execute(self, sql: str, params: Sequence[type_of_value]) -> Result:
        """Run one statement; outside ``begin`` it is a transaction of its own."""
        ...

    def batch(self, statements: Sequence[tuple[str, Sequence[type_of_value]]]) -> list[Result]:
        """Run all the statements, or none of them."""
        ...

    def begin(self) -> None:
        """Open a transaction."""
        ...

    def commit(self) -> None:
        """Commit the open transaction and all its savepoints."""
        ...

    def rollback(self) -> None:
        """Undo the open transaction and all its savepoints."""
        ...

    def savepoint(self, name: str) -> None:
        """Like SQL's SAVEPOINT; a name can be used again and then hides the earlier one."""
        ...

    def release(self, name: str) -> None:
        """Like SQL's RELEASE: forget the savepoint and those made after it, keep the changes."""
        ...

    def rollback_to(self, name: str) -> None:
        """Like SQL's ROLLBACK TO: undo what came after the savepoint, and keep the savepoint."""
        ...

    def close(self) -> None:
        """Give up the connection; an open transaction is rolled back."""
        ...


class DriverError(Exception):
    """
    The database's refusal, with the message as the platform words it.

    For example ``UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT (extended:
    SQLITE_CONSTRAINT_UNIQUE)`` or ``D1_ERROR: no such table: t: SQLITE_ERROR``.
    """
