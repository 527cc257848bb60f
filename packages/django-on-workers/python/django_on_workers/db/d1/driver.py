"""The driver for a D1 database: the binding that DATABASES names."""

from collections.abc import Sequence
from marshal import dumps

from django_on_workers._host import MARSHAL, calls, host, packed
from django_on_workers.db.requests import served
from django_on_workers.db.results import result, results
from django_on_workers.db.sqlite.driver import Driver, DriverError, Result, type_of_value


def connect(settings_dict: dict, session: str | None) -> Driver:
    """
    Return an open driver for the D1 binding named by ``NAME``.

    ``session`` is where a session of the request starts: a constraint or a
    bookmark. Without one every statement goes to the primary database.
    """
    request, binding = served(), settings_dict["NAME"]
    if session is not None:
        host.d1_session(request, binding, session)
    return D1Driver(request, binding)


def bookmark(settings_dict: dict) -> str | None:
    """Return where a session must start to see what this request has written, None if nothing."""
    return host.d1_bookmark(served(), settings_dict["NAME"])


class D1Driver:
    """Every statement is a transaction of its own; a batch is one as a whole."""

    def __init__(self, request: int, binding: str):
        self._request = request
        self._binding = binding

    def execute(self, sql: str, params: Sequence[type_of_value]) -> Result:
        statement = dumps((self._request, self._binding, sql, *params), MARSHAL)
        return result(self._request, calls.d1_query(statement), sql, params)

    def batch(self, statements: Sequence[tuple[str, Sequence[type_of_value]]]) -> list[Result]:
        sent = [(sql, *params) for sql, params in statements]
        is_whole = calls.d1_batch(packed((self._request, self._binding, *sent)))
        return results(self._request, is_whole, statements)

    def begin(self) -> None:
        raise _unsupported()

    def commit(self) -> None:
        raise _unsupported()

    def rollback(self) -> None:
        raise _unsupported()

    def savepoint(self, name: str) -> None:
        raise _unsupported()

    def release(self, name: str) -> None:
        raise _unsupported()

    def rollback_to(self, name: str) -> None:
        raise _unsupported()

    def close(self) -> None:
        """Do nothing: a binding needs no closing."""


def _unsupported() -> DriverError:
    return DriverError("D1 has no transactions: SQLITE_ERROR")
