"""What the host answers to a query (``src/runtime/bindings/rows.ts``), as the drivers give it."""

import marshal
from collections.abc import Iterable

from django_on_workers._host import answers, host
from django_on_workers.db.sqlite.driver import DriverError, Result


def load(answer, sent: Iterable = ()):
    """
    Return what the host has packed (``Answer`` in contract/host.ts).

    Raises DriverError where that is the message of an error, and UnicodeEncodeError
    if the reason is text among what was sent that is no Unicode.
    """
    if type(answer) is int:
        return marshal.loads(answers)
    if type(answer) is str:
        for value in sent:
            if type(value) is str:
                value.encode()
        raise DriverError(answer)
    return marshal.loads(answer.to_bytes())


def result(request: int, fields: tuple) -> Result:
    """Return a result from what the host has packed: the fields of one, with a number in the place of ``more``."""
    if fields[2] is not None:
        columns, rows, rest, *others = fields
        fields = (columns, rows, Chunks(request, rest), *others)
    # The class's own ways are functions of Python's, which take their arguments apart again.
    return tuple.__new__(Result, fields)


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
        rows, self._rest, inexact = load(host.result_more(self._request, rest))
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
