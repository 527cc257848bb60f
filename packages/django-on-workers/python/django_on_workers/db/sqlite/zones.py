"""
Time zones as SQL.

Without user-defined functions, the offset of a zone at an instant is a
conditional expression: a binary search over the transitions of the tz database
and, after the last of them, the zone's rule for every year (the POSIX string
that ends a TZif file, RFC 9636). The semantics are those of ``zoneinfo``.
"""

import datetime
import io
import re
import zoneinfo
from collections.abc import Callable
from functools import lru_cache
from importlib import resources
from pathlib import Path
from struct import unpack
from typing import NamedTuple

EPOCH = datetime.datetime(1970, 1, 1)


class Day(NamedTuple):
    """A day that every year has, and a second of it; what a POSIX rule names."""

    #: Modifiers of SQLite's date functions that lead to it from any instant of the year.
    modifiers: tuple[str, ...]
    #: Seconds after that day's midnight on the clock that is being left.
    seconds: int
    #: The same in Python: the day of a given year.
    of: Callable[[int], datetime.date]

    def sql(self, instant: str, seconds: int) -> str:
        """Return the Unix second of this day in the year of an instant, plus some seconds."""
        modifiers = ", ".join(f"'{modifier}'" for modifier in self.modifiers)
        return f"unixepoch({instant}, 'unixepoch', {modifiers}) + {self.seconds + seconds}"

    def seconds_of(self, year: int) -> int:
        midnight = datetime.datetime.combine(self.of(year), datetime.time())
        return int((midnight - EPOCH).total_seconds()) + self.seconds


class Rule(NamedTuple):
    """A zone's daylight saving, for every year."""

    standard: int
    daylight: int
    start: Day
    end: Day

    def transitions(self, year: int) -> list[tuple[int, int]]:
        """Return the year's two (Unix second, offset from then on), in their order."""
        return sorted(
            [
                (self.start.seconds_of(year) - self.standard, self.daylight),
                (self.end.seconds_of(year) - self.daylight, self.standard),
            ]
        )

    def sql(self, instant: str, start_shift: int, end_shift: int) -> str:
        start = self.start.sql(instant, start_shift)
        end = self.end.sql(instant, end_shift)
        # Which of the two comes first in a year is the hemisphere's choice, the same every year.
        if self.start.of(2000) < self.end.of(2000):
            first, last, inside, outside = start, end, self.daylight, self.standard
        else:
            first, last, inside, outside = end, start, self.standard, self.daylight
        return (
            f"CASE WHEN {instant} >= {first} AND {instant} < {last} "
            f"THEN {inside} ELSE {outside} END"
        )


class Zone(NamedTuple):
    """Offsets of a zone, in seconds east of UTC."""

    #: The offset before the first transition.
    first: int
    #: (Unix second, offset from then on), ascending.
    transitions: tuple[tuple[int, int], ...]
    #: What holds from the last transition on: an offset or a rule.
    last: int | Rule

    @property
    def is_utc(self) -> bool:
        return not self.transitions and self.last == 0

    def offset_at_instant(self, instant: str) -> str:
        """Return SQL for the offset at a Unix second, named by an SQL expression."""
        last = self.last
        if isinstance(last, Rule):
            last = last.sql(instant, -last.standard, -last.daylight)
        return self._search(instant, [time for time, _ in self.transitions], str(last))

    def offset_at_local(self, local: str) -> str:
        """
        Return SQL for the offset at a local time, named as if it were a Unix second.

        A time that occurs twice is the first of the two, one that does not
        occur is read with the offset before the gap (PEP 495, fold=0).
        """
        last = self.last
        if isinstance(last, Rule):
            gap = last.daylight - last.standard
            last = last.sql(local, max(gap, 0), max(-gap, 0))
        times, before = [], self.first
        for time, offset in self.transitions:
            times.append(time + max(before, offset))
            before = offset
        return self._search(local, times, str(last))

    def _search(self, value: str, times: list[int], last: str) -> str:
        offsets = [self.first, *(offset for _, offset in self.transitions[:-1])]

        def between(low: int, high: int) -> str:
            if low == high:
                return str(offsets[low]) if low < len(times) else last
            middle = (low + high) // 2
            # Shorter than CASE, and compiled to the same: a statement may have 100,000 bytes.
            return (
                f"iif({value}<{times[middle]},{between(low, middle)},{between(middle + 1, high)})"
            )

        return between(0, len(times))


@lru_cache(maxsize=64)
def zone(key: str) -> Zone:
    """Return the zone with this name; raise ``ZoneInfoNotFoundError`` if there is none."""
    zoneinfo.ZoneInfo(key)
    return parse(read(key))


def read(key: str) -> bytes:
    """Return the TZif file that zoneinfo reads for a name that it knows."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder, key)
        if path.is_file():
            return path.read_bytes()
    return resources.files("tzdata").joinpath("zoneinfo", *key.split("/")).read_bytes()


def parse(data: bytes) -> Zone:
    """Parse a TZif file (RFC 9636, section 3)."""
    file = io.BytesIO(data)
    width, code = 4, "l"
    version, *counts = unpack(">4xc15x6l", file.read(44))
    if version >= b"2":
        # The first block has the data in 32 bits, the second again in 64.
        file.seek(_rest(counts, width) + counts[3] * (width + 1) + counts[4] * 6, io.SEEK_CUR)
        width, code = 8, "q"
        _, *counts = unpack(">4xc15x6l", file.read(44))
    _, _, _, timecnt, typecnt, _ = counts
    times = unpack(f">{timecnt}{code}", file.read(timecnt * width))
    kinds = file.read(timecnt)
    types = [unpack(">lBB", file.read(6)) for _ in range(typecnt)]
    file.seek(_rest(counts, width), io.SEEK_CUR)
    footer = file.read().strip(b"\n").decode()
    offsets = [types[kind][0] for kind in kinds]
    first = next((offset for offset, is_dst, _ in types if not is_dst), types[0][0])
    last = posix(footer) if footer else (offsets[-1] if offsets else first)
    changes = list(zip(times, offsets, strict=True))
    # A change of name only is none here; but after the last change ``last`` takes over.
    changes = [
        change
        for index, change in enumerate(changes)
        if index == len(changes) - 1 or change[1] != (offsets[index - 1] if index else first)
    ]
    if isinstance(last, Rule):
        changes = _without_repeats(changes, last)
    elif not changes:
        first = last
    return Zone(first, tuple(changes), last)


def _rest(counts: list[int], width: int) -> int:
    isutcnt, isstdcnt, leapcnt, _, _, charcnt = counts
    return charcnt + leapcnt * (width + 4) + isstdcnt + isutcnt


def _without_repeats(changes: list[tuple[int, int]], rule: Rule) -> list[tuple[int, int]]:
    """Drop the transitions at the end that the rule gives too ("fat" files spell out decades)."""
    if not changes:
        return changes
    first, last = (EPOCH + datetime.timedelta(seconds=changes[end][0]) for end in (0, -1))
    ruled = sorted(
        change
        for year in range(max(first.year, 1900), last.year + 1)
        for change in rule.transitions(year)
        if change[0] <= changes[-1][0]
    )
    common = 0
    while common < min(len(changes), len(ruled)) and changes[-1 - common] == ruled[-1 - common]:
        common += 1
    return changes[: len(changes) - common + 1] if common else changes


NAME = r"(?:<[^>]+>|[^<0-9:,.+-]+)"
OFFSET = r"[+-]?\d+(?::\d+){0,2}"
POSIX = re.compile(
    rf"{NAME}(?P<standard>{OFFSET})"
    rf"(?:{NAME}(?P<daylight>{OFFSET})?,(?P<start>[^,]+),(?P<end>[^,]+))?$"
)


def posix(text: str) -> int | Rule:
    """Parse a POSIX TZ string, such as ``CET-1CEST,M3.5.0,M10.5.0/3``."""
    match = POSIX.match(text)
    if match is None:
        raise ValueError(f"not a TZ string: {text!r}")
    # POSIX counts west of Greenwich.
    standard = -_seconds(match["standard"])
    if match["start"] is None:
        return standard
    daylight = -_seconds(match["daylight"]) if match["daylight"] else standard + 3600
    return Rule(standard, daylight, _day(match["start"]), _day(match["end"]))


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = [*map(int, text.lstrip("+-").split(":")), 0, 0][:3]
    return sign * (hours * 3600 + minutes * 60 + seconds)


def _day(text: str) -> Day:
    date, _, time = text.partition("/")
    seconds = _seconds(time or "2")
    if date[0] == "M":
        month, week, weekday = map(int, date[1:].split("."))
        # The last seven days of the month when it is the fifth week, which means the last.
        months, days = (month - 1, 7 * week - 7) if week < 5 else (month, -7)
        modifiers = (
            "start of year",
            f"{months:+} months",
            f"{days:+} days",
            f"weekday {weekday}",
        )

        def of(year: int) -> datetime.date:
            base = datetime.date(year + months // 12, months % 12 + 1, 1)
            base += datetime.timedelta(days=days)
            return base + datetime.timedelta(days=(weekday - base.isoweekday()) % 7)

        return Day(modifiers, seconds, of)
    if date[0] == "J":
        # Day 1 to 365; February 29 is never counted.
        common = datetime.date(2001, 1, 1) + datetime.timedelta(days=int(date[1:]) - 1)
        modifiers = ("start of year", f"+{common.month - 1} months", f"+{common.day - 1} days")
        return Day(modifiers, seconds, lambda year: common.replace(year=year))
    days = int(date)
    return Day(
        ("start of year", f"+{days} days"),
        seconds,
        lambda year: datetime.date(year, 1, 1) + datetime.timedelta(days=days),
    )
