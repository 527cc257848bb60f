"""
From Django's ``%s`` statements to what Workers can bind.

Every number is bound as a double there, so an integer is cast back (``typeof(?)``
of 3 is "real"). At most 100 parameters can be bound, and no integer beyond
2**53 - 1: what does not fit is written into the statement as a literal.
"""

import datetime
import decimal
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from .driver import MAX_SAFE_INTEGER

MAX_PARAMS = 100

#: Bytes of a statement that literals may fill up to, of the 100,000 that it may have.
MAX_LENGTH = 80_000

#: A column's affinity decides how it is compared, so the cast must not lend the
#: parameter one: unary plus takes it away. See https://www.sqlite.org/datatype3.html#affinity.
INTEGER_PLACEHOLDER = "+CAST(? AS INTEGER)"

FORMAT_PLACEHOLDER = re.compile(r"(?<!%)%s")
PYFORMAT_PLACEHOLDER = re.compile(r"(?<!%)%\((.*?)\)s")

MIN_INT64, MAX_INT64 = -(2**63), 2**63 - 1

#: A semicolon outside of what is quoted and of comments, https://www.sqlite.org/lang.html.
SEMICOLON = re.compile(
    r"""'(?:[^']|'')*' | "(?:[^"]|"")*" | `[^`]*` | \[[^\]]*\] | --[^\n]* | /\*.*?\*/ | (;)""",
    re.DOTALL | re.VERBOSE,
)
BLANK = r"(?:\s|--[^\n]*|/\*.*?\*/)*"
NOTHING_MORE = re.compile(BLANK + r"\Z", re.DOTALL)
CREATE_TRIGGER = re.compile(
    BLANK + r"CREATE\s+(?:TEMP(?:ORARY)?\s+)?TRIGGER\b", re.DOTALL | re.IGNORECASE
)


class SeveralStatements(ValueError):
    """A text that is more than one statement."""


class UnsupportedParameter(TypeError):
    """A parameter of a type that SQLite has no value for."""


class InfiniteParameter(ValueError):
    """An infinite number for a database that can't take one."""


def prepare(
    query: str, params: Sequence | Mapping, takes_infinity: bool = True
) -> tuple[str, Sequence]:
    """
    Return the statement with ``?`` placeholders and the values to bind.

    Raise ``UnsupportedParameter`` for a value that can't be bound and for what holds no values,
    ``InfiniteParameter`` for an infinite one where the database does not take
    it, ``OverflowError`` for an integer beyond 64 bits and ``ValueError`` when
    placeholders and parameters differ in number.
    """
    # Most are one of these, and an abstract class is slow to tell.
    if not isinstance(params, (tuple, list)):
        if isinstance(params, Mapping):
            query, names = positional(query)
            params = [params[name] for name in names]
        elif not hasattr(type(params), "__getitem__"):
            raise UnsupportedParameter("parameters are of unsupported type")
    sql, adapters, integers, floats = plan(query, tuple(map(type, params)))
    if adapters is not None:
        params = [
            value if adapt is None else adapt(value)
            for adapt, value in zip(adapters, params, strict=True)
        ]
    if not takes_infinity and any(math.isinf(params[index]) for index in floats):
        raise InfiniteParameter
    for index in integers:
        if not -MAX_SAFE_INTEGER <= params[index] <= MAX_SAFE_INTEGER:
            return inline(query, params)
    if len(params) > MAX_PARAMS:
        return inline(query, params)
    return sql, params


def only_statement(query: str) -> str:
    """
    Return the statement of a text that has semicolons, without what follows it.

    Raise ``SeveralStatements`` where that is another one; behind a trigger's it is not seen.
    """
    if CREATE_TRIGGER.match(query):
        return query
    end = next((match.start() for match in SEMICOLON.finditer(query) if match[1]), None)
    if end is None:
        return query
    if NOTHING_MORE.match(query, end + 1) is None:
        raise SeveralStatements
    return query[:end]


@lru_cache(maxsize=512)
def plan(query: str, types: tuple[type, ...]):
    """
    Return the statement for parameters of these types, how to adapt each, and
    the positions of those that are integers and of those that are floats.
    """
    adapters = [adapter_for(cls) for cls in types]
    integers = [
        index
        for index, (cls, adapter) in enumerate(zip(types, adapters, strict=True))
        if adapter is int or cls is int
    ]
    floats = tuple(index for index, cls in enumerate(types) if issubclass(cls, float))
    pieces = split(query)
    if len(pieces) == 1 and types:
        # A statement written with SQLite's own placeholders, as Django's backend takes it too.
        sql = pieces[0]
    elif len(pieces) - 1 != len(types):
        raise ValueError(
            "Incorrect number of bindings supplied. The current statement uses "
            f"{len(pieces) - 1}, and there are {len(types)} supplied."
        )
    else:
        placeholders = ["?"] * len(types)
        for index in integers:
            placeholders[index] = INTEGER_PLACEHOLDER
        sql = interleave(pieces, placeholders)
    return sql, tuple(adapters) if any(adapters) else None, tuple(integers), floats


@lru_cache(maxsize=128)
def split(query: str) -> list[str]:
    """Return the pieces of a ``%s`` statement between its placeholders."""
    return [piece.replace("%%", "%") for piece in FORMAT_PLACEHOLDER.split(query)]


@lru_cache(maxsize=128)
def positional(query: str) -> tuple[str, list[str]]:
    """Return a ``%(name)s`` statement with ``%s`` placeholders, and the names in their order."""
    return PYFORMAT_PLACEHOLDER.sub("%s", query), PYFORMAT_PLACEHOLDER.findall(query)


def interleave(pieces: list[str], placeholders: Iterable[str]) -> str:
    parts = [pieces[0]]
    for placeholder, piece in zip(placeholders, pieces[1:], strict=True):
        parts += placeholder, piece
    return "".join(parts)


def inline(query: str, params: Sequence) -> tuple[str, Sequence]:
    """
    Return the statement with what can't be bound written as literals.

    Those are large integers, and the shortest values beyond ``MAX_PARAMS``;
    what would make the statement too long goes into one parameter, as JSON.
    """
    pieces = split(query)
    if len(pieces) - 1 != len(params):
        raise ValueError(f"more than {MAX_PARAMS} parameters need %s placeholders")
    placeholders: list[str | None] = [None] * len(params)
    left = len(params)
    for index, value in enumerate(params):
        if type(value) is int and not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
            placeholders[index] = literal(value)
            left -= 1
    packed: list = []
    if left > MAX_PARAMS:
        length = len(query)
        shortest = sorted(
            (index for index, placeholder in enumerate(placeholders) if placeholder is None),
            key=lambda index: len(params[index]) if type(params[index]) in (str, bytes) else 0,
        )
        # One more than there are too many, for the JSON.
        left -= MAX_PARAMS - 1
        for index in shortest:
            if not left:
                break
            text = exactly(params[index])
            if length + len(text) < MAX_LENGTH:
                placeholders[index] = text
                length += len(text.encode())
            elif fits_json(params[index]):
                placeholders[index] = f"json_extract(?1, '$[{len(packed)}]')"
                packed.append(params[index])
            else:
                continue
            left -= 1
    bound = [json.dumps(packed, ensure_ascii=False)] if packed else []
    for index, value in enumerate(params):
        if placeholders[index] is None:
            bound.append(value)
            number = f"?{len(bound)}"
            placeholders[index] = f"+CAST({number} AS INTEGER)" if type(value) is int else number
    return interleave(pieces, placeholders), bound


def fits_json(value) -> bool:
    """Return whether SQLite reads this value as the same from JSON."""
    if isinstance(value, float):
        return math.isfinite(value) and reads_exactly(value)
    if isinstance(value, str):
        return "\0" not in value
    return not isinstance(value, bytes)


def reads_exactly(value: float) -> bool:
    """Return whether SQLite, which rounds a fraction more than once, surely reads its decimals right."""
    return value.is_integer() and abs(value) < 2**53


def exactly(value) -> str:
    """Return SQL for a value that can be bound: a literal, or where SQLite may misread that a product."""
    if not isinstance(value, float) or not math.isfinite(value) or reads_exactly(value):
        return literal(value)
    numerator, denominator = value.as_integer_ratio()
    # One of the two is a power of two, or has one as a factor.
    exponent = (numerator & -numerator).bit_length() - denominator.bit_length()
    return f"({numerator >> max(exponent, 0)}*pow(2,{exponent}))"


def literal(value) -> str:
    """
    Return an SQL literal for a value that can be bound.

    An integer is a sum, because a bare one would name a column in ORDER BY and GROUP BY.
    """
    if value is None:
        return "NULL"
    if isinstance(value, int):
        if not MIN_INT64 <= value <= MAX_INT64:
            raise OverflowError("Python int too large to convert to SQLite INTEGER")
        return f"(0+{int(value)})"
    if isinstance(value, float):
        if math.isnan(value):
            return "NULL"
        if math.isinf(value):
            return "9e999" if value > 0 else "-9e999"
        return repr(value)
    if isinstance(value, str):
        if "\0" in value:
            return f"CAST(X'{value.encode().hex()}' AS TEXT)"
        return "'" + value.replace("'", "''") + "'"
    return f"X'{value.hex()}'"


def _adapt_datetime(value: datetime.datetime) -> str:
    return value.isoformat(" ")


# Exact types; subclasses are looked up along their MRO.
ADAPTERS = {
    str: None,
    int: None,
    float: None,
    bytes: None,
    type(None): None,
    bool: int,
    decimal.Decimal: str,
    datetime.datetime: _adapt_datetime,
    datetime.date: datetime.date.isoformat,
    memoryview: bytes,
    bytearray: bytes,
}


def adapter_for(cls: type):
    """Return what turns a value of this type into one that can be bound, None for nothing."""
    for base in cls.__mro__:
        if base in ADAPTERS:
            adapter = ADAPTERS[base]
            # str.__str__ gives a subclass with an own __str__ (SafeString) as its text.
            return SUBCLASS_ADAPTERS[base] if adapter is None and base is not cls else adapter
    return _adapt_registered


SUBCLASS_ADAPTERS = {str: str.__str__, int: int, float: float, bytes: bytes}


def _adapt_registered(value):
    """Adapt by what the project registered with the standard library's sqlite3."""
    import sqlite3

    try:
        adapted = sqlite3.adapt(value)
    except sqlite3.ProgrammingError:
        adapted = value
    if type(adapted) in (str, int, float, bytes, type(None)):
        return adapted
    raise UnsupportedParameter(
        f"Error binding parameter: type '{type(value).__name__}' is not supported"
    )
