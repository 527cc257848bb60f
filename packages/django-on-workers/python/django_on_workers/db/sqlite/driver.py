"""The one interface between the backends and whatever runs SQL for them."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

#: What can be bound, and what comes back.
type_of_value = None | int | float | str | bytes

#: Integers up to this size survive a JavaScript number, in both directions.
MAX_SAFE_INTEGER = 2**53 - 1


class More(Protocol):
    """
    The chunks of a result after its first.

    They stay readable while other statements run, and transactions begin and
    end; what those change may be among the rows, or not.
    """

    def __iter__(self) -> "More": ...

    def __next__(self) -> tuple[list[tuple], bool]:
        """Return the next rows, and whether they are ``inexact``."""
        ...

    def count(self) -> int:
        """Give up what is left, and return how many rows that were."""
        ...

    def close(self) -> None:
        """Give up what is left."""
        ...


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
    #: None when ``rows`` is everything.
    more: More | None = None
    #: Rows changed by INSERT, UPDATE or DELETE, else -1.
    rowcount: int = -1
    #: Row id of the last INSERT, where there was one and the driver tells it.
    lastrowid: int | None = None
    #: Whether ``rows`` has a number so large that, if it is an integer, it may have been rounded.
    inexact: bool = False


class Driver(Protocol):
    """
    A connection to one SQLite database.

    ``execute`` and ``batch`` take SQL with ``?`` placeholders, and at most 100
    parameters, none of them an integer beyond ``MAX_SAFE_INTEGER``. Whatever
    the database refuses is raised as ``DriverError``; a string that is not
    valid Unicode as ``UnicodeEncodeError``.
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
