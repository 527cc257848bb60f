"""
Parts of dates and times as SQL.

What Django's SQLite backend computes in user-defined functions
(django/db/backends/sqlite3/_functions.py), with the same results. A stored
value is text: ``YYYY-MM-DD[ HH:MM:SS[.ffffff]]`` or ``HH:MM:SS[.ffffff]``.

The SQL is for Django's ``%s`` statements: the modulo operator is ``%%``. (SQLite's
``mod()`` would do, were it not in floating point.)
"""

from typing import NamedTuple

from django.db import OperationalError
from django.db.backends.utils import split_tzname_delta

from .fragments import Fragment, fill
from .zones import zone

MICROSECONDS = 1_000_000

# Seven days before the next Monday, and the Thursday of the ISO week.
MONDAY = "'-6 days', 'weekday 1'"
THURSDAY = "'-3 days', 'weekday 4'"


class Moment(NamedTuple):
    """The arguments that make SQLite's date functions see a value's local time."""

    arguments: str
    value: Fragment

    def fill(self, template: str, *, bind: bool) -> Fragment:
        return fill(template.replace("{t}", self.arguments), self.value, bind=bind)


def local(value: Fragment, tzname: str | None, stored_in: str | None, *, bind: bool) -> Moment:
    """
    Return a stored moment in a time zone.

    ``tzname`` is as Django gives it to operations, ``Europe/Paris`` or
    ``UTC+05:30``; ``stored_in`` is the connection's time zone.
    """
    if tzname is None or stored_in is None or tzname == stored_in:
        return Moment("substr({0}, 1, 19)", value)
    name, sign, offset = split_tzname_delta(tzname)
    shift = 0
    if offset:
        hours, minutes = map(int, offset.split(":"))
        shift = (hours * 3600 + minutes * 60) * (1 if sign == "+" else -1)
    source, target = zone(stored_in), zone(name or stored_in)
    seconds = fill("unixepoch(substr({0}, 1, 19))", value, bind=bind)
    if not source.is_utc:
        seconds = fill(
            f"({{0}} - ({source.offset_at_local('{0}')}))", seconds, bind=bind, once=True
        )
    if shift:
        seconds = Fragment(f"({seconds.sql} + {shift})", seconds.params)
    if not target.is_utc:
        seconds = fill(
            f"({{0}} + ({target.offset_at_instant('{0}')}))", seconds, bind=bind, once=True
        )
    return Moment("{0}, 'unixepoch'", seconds)


DAYS = "unixepoch({t}, 'start of day') / 86400"

EXTRACT = {
    "year": "CAST(substr(date({t}), 1, 4) AS INTEGER)",
    "iso_year": "CAST(substr(date({t}, " + THURSDAY + "), 1, 4) AS INTEGER)",
    "quarter": "(CAST(substr(date({t}), 6, 2) AS INTEGER) + 2) / 3",
    "month": "CAST(substr(date({t}), 6, 2) AS INTEGER)",
    "week": (
        "(unixepoch({t}, " + THURSDAY + ", 'start of day')"
        " - unixepoch({t}, " + THURSDAY + ", 'start of year')) / 604800 + 1"
    ),
    "day": "CAST(substr(date({t}), 9, 2) AS INTEGER)",
    # 1970-01-01 was a Thursday, and SQLite's division rounds to zero.
    "week_day": "(" + DAYS + " %% 7 + 11) %% 7 + 1",
    "iso_week_day": "(" + DAYS + " %% 7 + 10) %% 7 + 1",
    "hour": "CAST(substr(time({t}), 1, 2) AS INTEGER)",
    "minute": "CAST(substr(time({t}), 4, 2) AS INTEGER)",
    "second": "CAST(substr(time({t}), 7, 2) AS INTEGER)",
}
FRACTION = "CAST(substr(substr({0}, {1}) || '000000', 1, 6) AS INTEGER)"

MICROSECONDS_OF = (
    f"(unixepoch(substr({{0}}, 1, 19)) * {MICROSECONDS} + {FRACTION.replace('{1}', '21')})"
)

TRUNCATE_DATE = {
    "year": "date({t}, 'start of year')",
    "quarter": (
        "substr(date({t}), 1, 5) || CASE (CAST(substr(date({t}), 6, 2) AS INTEGER) - 1) / 3"
        " WHEN 0 THEN '01-01' WHEN 1 THEN '04-01' WHEN 2 THEN '07-01' ELSE '10-01' END"
    ),
    "month": "date({t}, 'start of month')",
    "week": "date({t}, " + MONDAY + ")",
    "day": "date({t})",
}
TRUNCATE_TIME = {
    "hour": "substr(time({t}), 1, 2) || ':00:00'",
    "minute": "substr(time({t}), 1, 5) || ':00'",
    "second": "time({t})",
}
TRUNCATE = {
    **{kind: f"{sql} || ' 00:00:00'" for kind, sql in TRUNCATE_DATE.items()},
    "hour": "substr(datetime({t}), 1, 13) || ':00:00'",
    "minute": "substr(datetime({t}), 1, 16) || ':00'",
    "second": "datetime({t})",
}


def template(templates: dict[str, str], kind: str) -> str:
    try:
        return f"({templates[kind]})"
    except KeyError:
        # As the database says it when a user-defined function refuses.
        raise OperationalError(f"Unsupported lookup type: {kind!r}") from None


def extract(kind: str, moment: Moment, *, bind: bool) -> Fragment:
    """Return one number of a moment."""
    return moment.fill(template(EXTRACT, kind), bind=bind)


def truncate(templates: dict[str, str], kind: str, moment: Moment, *, bind: bool) -> Fragment:
    """Return a moment cut down to a unit."""
    return moment.fill(template(templates, kind), bind=bind)


def microsecond(value: Fragment, *, start: int, bind: bool) -> Fragment:
    """Return the fraction of a second, whose digits start at a position of the text."""
    return fill(FRACTION.replace("{1}", str(start)), value, bind=bind)


def time_of(value: Fragment, moment: Moment, *, bind: bool) -> Fragment:
    """Return the time of a moment as ``datetime.time.isoformat()`` writes it."""
    time = moment.fill("time({t})", bind=bind)
    fraction = fill(
        "CASE WHEN CAST(substr({0}, 21, 6) AS INTEGER) = 0 THEN ''"
        " ELSE '.' || substr(substr({0}, 21, 6) || '000000', 1, 6) END",
        value,
        bind=bind,
    )
    return Fragment(f"({time.sql} || {fraction.sql})", (*time.params, *fraction.params))


def date_microseconds(value: Fragment, *, bind: bool) -> Fragment:
    """Return a stored date and time in microseconds since 1970."""
    return fill(MICROSECONDS_OF, value, bind=bind)


def time_microseconds(value: Fragment, *, bind: bool) -> Fragment:
    """Return a stored time in microseconds since midnight."""
    return fill(
        "(unixepoch('1970-01-01 ' || substr({0}, 1, 8))"
        f" * {MICROSECONDS} + {FRACTION.replace('{1}', '10')})",
        value,
        bind=bind,
    )


def difference(left: Fragment, right: Fragment) -> Fragment:
    return Fragment(f"({left.sql} - {right.sql})", (*left.params, *right.params))


def shift(moment: Fragment, sign: str, duration: Fragment, *, bind: bool) -> Fragment:
    """
    Return a stored date or date and time moved by a duration in microseconds.

    As ``str(datetime)`` writes it; a date moves by whole days and stays one. A
    time of day gives NULL, as in Django's SQLite backend.
    """
    dated = "CASE WHEN substr({0}, 5, 1) = '-' THEN {0} END"
    micros = MICROSECONDS_OF.replace("{0}", dated)
    if bind:
        # Not nested by ``fill``: sums of sums would overflow SQLite's parser.
        total = f"{micros.replace('{0}', 'v')} {sign} ({duration.sql})"
        moved = MOVED.replace("{0}", "v").replace("{1}", "w")
        return Fragment(
            f"(SELECT {moved} FROM (SELECT {total} AS v, length(v) = 10 AS w "
            f"FROM (SELECT {moment.sql} AS v)))",
            (*duration.params, *moment.params),
        )
    micros = fill(micros, moment, bind=False)
    total = Fragment(f"({micros.sql} {sign} ({duration.sql}))", (*micros.params, *duration.params))
    return fill(MOVED, total, fill("length({0}) = 10", moment, bind=False), bind=False)


FRACTION_OF_TOTAL = "(({0} %% 1000000 + 1000000) %% 1000000)"
WHOLE_OF_TOTAL = "({0} - " + FRACTION_OF_TOTAL + ") / 1000000"
MOVED = (
    "CASE WHEN {1} THEN date(" + WHOLE_OF_TOTAL + ", 'unixepoch')"
    " ELSE datetime(" + WHOLE_OF_TOTAL + ", 'unixepoch') ||"
    " CASE WHEN " + FRACTION_OF_TOTAL + " = 0 THEN ''"
    " ELSE '.' || substr('000000' || " + FRACTION_OF_TOTAL + ", -6) END END"
)
