"""What the host answers to a query (``src/runtime/bindings/rows.ts``), as the drivers give it."""

import marshal
from collections.abc import Iterable

from django_on_workers._host import answers, host
from django_on_workers.db.sqlite.driver import DriverError, Result


def load(answer, params: Iterable = ()):
    """
    Return what the host has packed (``Answer`` in contract/host.ts).

    Raises DriverError where that is the message of an error, and UnicodeEncodeError
    if the reason is a parameter that is no Unicode text.
    """
    if type(answer) is int:
        return marshal.loads(answers)
    if type(answer) is str:
        for value in params:
            if type(value) is str:
                value.encode()
        raise DriverError(answer)
    return marshal.loads(answer.to_bytes())


def result(request: int, columns, chunk, rowcount, lastrowid) -> Result:
    rows, inexact, rest = chunk
    more = None if rest is None else Chunks(request, rest)
    return Result(columns, rows, more, rowcount, lastrowid, inexact)


class Chunks:
    """The rows that the host has kept back. Given up when nobody is left to read them."""

    def __init__(self, request: int, rest: int):
        self._request = request
        self._rest: int | None = rest

    def __iter__(self):
        return self

    def __next__(self) -> tuple[list[tuple], bool]:
        if self._rest is None:
            raise StopIteration
        rest, self._rest = self._rest, None
        rows, inexact, self._rest = load(host.result_more(self._request, rest))
        return rows, inexact

    def count(self) -> int:
        if self._rest is None:
            return 0
        rest, self._rest = self._rest, None
        return host.result_count(self._request, rest)

    def close(self) -> None:
        if self._rest is not None:
            rest, self._rest = self._rest, None
            host.result_close(self._request, rest)

    __del__ = close
