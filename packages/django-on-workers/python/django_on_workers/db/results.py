"""What the host answers to a query (``src/runtime/bindings/rows.ts``), as the drivers give it."""

import marshal
from collections.abc import Iterable, Sequence

from django_on_workers._host import HostError, answers, calls, host, packed, rest
from django_on_workers.db.sqlite.driver import DriverError, Result


def load(is_whole: bool, sent: Iterable[tuple[str, Sequence]] = ()):
    """
    Return what a call has found.

    Raises DriverError where that is the message of an error, and UnicodeEncodeError
    if the reason is text among the statements sent that is no Unicode.
    """
    if is_whole:
        return marshal.loads(answers)
    try:
        return marshal.loads(rest())
    except HostError as error:
        for sql, params in sent:
            for value in (sql, *params):
                if type(value) is str:
                    value.encode()
        raise DriverError(str(error)) from None


def result(request: int, is_whole: bool, sql: str, params: Sequence) -> Result:
    """Return the result of a statement that a call has run. Raises what ``load`` raises."""
    # Every query comes here: a function less is noticed.
    fields = marshal.loads(answers) if is_whole else load(False, ((sql, params),))
    return of_fields(request, fields) if fields[2] is not None else tuple.__new__(Result, fields)


def results(request: int, is_whole: bool, sent: Sequence[tuple[str, Sequence]]) -> list[Result]:
    """Return the results of statements that a call has run. Raises what ``load`` raises."""
    return [of_fields(request, fields) for fields in load(is_whole, sent)]


def of_fields(request: int, fields: tuple) -> Result:
    """Return a result from what the host has packed: the fields of one, with a number in the place of ``more``."""
    columns, rows, number, *others = fields
    more = None if number is None else Chunks(request, number)
    return Result(columns, rows, more, *others)


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
        number, self._rest = self._rest, None
        rows, self._rest, inexact = load(calls.result_more(packed((self._request, number))))
        return rows, inexact

    def count(self) -> int:
        if self._rest is None:
            return 0
        number, self._rest = self._rest, None
        return host.result_count(self._request, number)

    def close(self) -> None:
        if self._rest is not None:
            number, self._rest = self._rest, None
            host.result_close(self._request, number)

    __del__ = close
