"""The table of a code object that tells which line an instruction comes from, and from where to where on it.

https://github.com/python/cpython/blob/main/InternalDocs/code_objects.md#format-of-the-locations-table
"""

from collections.abc import Iterator
from types import CodeType

__all__ = ["without_columns"]

# Kinds of entries. Those below 10 lie on the line of the one before, 10 to 12 none to two lines further.
_ONE_LINE, _NO_COLUMNS, _LONG, _NO_LOCATION = 10, 13, 14, 15
#: The most code units that one entry is for.
_MOST_UNITS = 8


def without_columns(code: CodeType) -> CodeType:
    """Return `code`, and the code inside it, with lines only: what ``python -X no_debug_ranges`` compiles.

    The columns are more than half of the table and nearly random: a quarter of Django's packed bytecode. They only
    show in a traceback whose source is there.
    """
    return code.replace(
        co_linetable=_written(_read(code.co_linetable)),
        co_consts=tuple(
            without_columns(constant) if isinstance(constant, CodeType) else constant
            for constant in code.co_consts
        ),
    )


def _read(table: bytes) -> Iterator[tuple[int, int | None]]:
    """Yield for each entry its code units and how many lines it lies further down, or None without a line."""
    numbers = iter(table)
    for first in numbers:
        kind, units = first >> 3 & 15, (first & 7) + 1
        if kind == _NO_LOCATION:
            yield units, None
        elif kind >= _NO_COLUMNS:
            yield units, _signed(_number(numbers))
            if kind == _LONG:
                # The last line and two columns.
                for _ in range(3):
                    _number(numbers)
        else:
            yield units, max(0, kind - _ONE_LINE)
            # The columns, packed into a byte or as two.
            for _ in range(2 if kind >= _ONE_LINE else 1):
                next(numbers)


def _written(entries: Iterator[tuple[int, int | None]]) -> bytes:
    """Return a table of lines, with neighbours on one line as one entry."""
    lines: list[list] = []
    for units, further in entries:
        if lines and (further == 0 if lines[-1][1] is not None else further is None):
            lines[-1][0] += units
        else:
            lines.append([units, further])
    table = bytearray()
    for units, further in lines:
        for done in range(0, units, _MOST_UNITS):
            kind = _NO_LOCATION if further is None else _NO_COLUMNS
            table.append(0x80 | kind << 3 | min(units - done, _MOST_UNITS) - 1)
            if further is not None:
                _append_number(table, 0 if done else further)
    return bytes(table)


def _number(numbers: Iterator[int]) -> int:
    """Six bits in each byte, the lowest first; a byte of 64 and more is followed by another."""
    value = shift = 0
    for byte in numbers:
        value |= (byte & 63) << shift
        shift += 6
        if byte < 64:
            break
    return value


def _signed(number: int) -> int:
    return -(number >> 1) if number & 1 else number >> 1


def _append_number(table: bytearray, signed: int) -> None:
    value = -signed << 1 | 1 if signed < 0 else signed << 1
    while value >= 64:
        table.append(64 | value & 63)
        value >>= 6
    table.append(value)
