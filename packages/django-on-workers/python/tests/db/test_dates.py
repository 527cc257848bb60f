"""Dates in SQL against what Django computes in Python, over random moments and zones."""

import datetime
import random
import unittest
import zoneinfo

from .project import setup

setup()

from django.db import OperationalError, connections  # noqa: E402
from django.db.backends.sqlite3 import _functions as native  # noqa: E402

MOMENTS = 600
ZONES = 30

EXTRACTS = (
    "year",
    "iso_year",
    "quarter",
    "month",
    "week",
    "day",
    "week_day",
    "iso_week_day",
    "hour",
    "minute",
    "second",
    "microsecond",
)
DATE_TRUNCS = ("year", "quarter", "month", "week", "day")
TIME_TRUNCS = ("hour", "minute", "second")


def moments(count: int, source: random.Random) -> list[str]:
    """Return stored moments: of all times, of today's, and close to changes of the clock."""
    utc = datetime.UTC
    found = []
    for index in range(count):
        if index % 3 == 0:
            seconds = source.randrange(-62_000_000_000, 253_300_000_000)
        else:
            seconds = source.randrange(-2_200_000_000, 4_200_000_000)
        moment = datetime.datetime(1970, 1, 1, tzinfo=utc) + datetime.timedelta(seconds=seconds)
        if index % 2:
            moment = moment.replace(microsecond=source.randrange(1_000_000))
        found.append(str(moment.replace(tzinfo=None)))
    return found


def zones(count: int, source: random.Random) -> list[str]:
    names = sorted(zoneinfo.available_timezones() - {"localtime", "posixrules", "Factory"})
    return ["UTC", "Europe/Dublin", "America/New_York", "UTC+05:30", "UTC-03:15"] + source.sample(
        names, count
    )


class DatesTests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = random.Random(20260101)
        cls.connection = connections["durable_object"]
        cls.values = moments(MOMENTS, cls.source)
        with cls.connection.cursor() as cursor:
            cursor.execute("CREATE TABLE moments (id integer PRIMARY KEY, value datetime)")
            for value in cls.values:
                cursor.execute("INSERT INTO moments (value) VALUES (%s)", [value])

    @classmethod
    def tearDownClass(cls):
        with cls.connection.cursor() as cursor:
            cursor.execute("DROP TABLE moments")

    def compute(self, compiled, *, values="moments"):
        sql, params = compiled
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT {sql} FROM {values} ORDER BY id", params)
            return [row[0] for row in cursor.fetchall()]

    def compare(self, compiled, function, *arguments, zone):
        sql, params = compiled
        self.assertNotIn("django_", sql)
        for value, found in zip(self.values, self.compute((sql, params)), strict=True):
            expected = function(*(value if a is VALUE else a for a in arguments))
            self.assertEqual(found, expected, f"{value} in {zone}, {arguments}: {sql[:300]}")

    def each_zone(self):
        stored = "UTC"
        for zone in zones(ZONES, self.source):
            yield zone, stored
        yield "Asia/Kathmandu", None

    def in_zone(self, stored):
        """Return operations for a database whose moments are stored in a zone."""
        self.connection.__dict__["timezone_name"] = stored or "UTC"
        self.addCleanup(self.connection.__dict__.pop, "timezone_name", None)
        return self.connection.ops

    def test_every_extract_in_every_zone(self):
        for zone, stored in self.each_zone():
            ops = self.in_zone(stored)
            name = zone if stored else None
            for kind in EXTRACTS:
                self.compare(
                    ops.datetime_extract_sql(kind, "moments.value", (), name),
                    native._sqlite_datetime_extract,
                    kind,
                    VALUE,
                    name,
                    stored,
                    zone=zone,
                )

    def test_every_truncation_in_every_zone(self):
        for zone, stored in self.each_zone():
            ops = self.in_zone(stored)
            name = zone if stored else None
            for kinds, method, function in (
                (DATE_TRUNCS, ops.date_trunc_sql, native._sqlite_date_trunc),
                (TIME_TRUNCS, ops.time_trunc_sql, native._sqlite_time_trunc),
                (DATE_TRUNCS + TIME_TRUNCS, ops.datetime_trunc_sql, native._sqlite_datetime_trunc),
            ):
                for kind in kinds:
                    self.compare(
                        method(kind, "moments.value", (), name),
                        function,
                        kind,
                        VALUE,
                        name,
                        stored,
                        zone=zone,
                    )
            for method, function in (
                (ops.datetime_cast_date_sql, native._sqlite_datetime_cast_date),
                (ops.datetime_cast_time_sql, native._sqlite_datetime_cast_time),
            ):
                self.compare(
                    method("moments.value", (), name), function, VALUE, name, stored, zone=zone
                )

    def test_moments_stored_in_another_zone(self):
        for stored in ("Asia/Tehran", "America/Sao_Paulo", "Australia/Lord_Howe"):
            ops = self.in_zone(stored)
            for zone in ("UTC", "Europe/Paris", stored):
                for kind in ("year", "hour", "week"):
                    self.compare(
                        ops.datetime_extract_sql(kind, "moments.value", (), zone),
                        native._sqlite_datetime_extract,
                        kind,
                        VALUE,
                        zone,
                        stored,
                        zone=f"{zone}, stored in {stored}",
                    )

    def test_without_subqueries(self):
        ops = self.in_zone("UTC")
        with ops.without_subqueries():
            for zone in ("Europe/Paris", "UTC+05:30", "Africa/Casablanca"):
                compiled = ops.datetime_extract_sql("hour", "moments.value", (), zone)
                self.assertNotIn("SELECT", compiled[0])
                self.compare(
                    compiled,
                    native._sqlite_datetime_extract,
                    "hour",
                    VALUE,
                    zone,
                    "UTC",
                    zone=zone,
                )

    def test_values_that_are_parameters(self):
        ops = self.in_zone("UTC")
        for value in self.values[:50]:
            sql, params = ops.datetime_trunc_sql("quarter", "%s", (value,), "Europe/Rome")
            with self.connection.cursor() as cursor:
                cursor.execute(f"SELECT {sql}", params)
                self.assertEqual(
                    cursor.fetchone()[0],
                    native._sqlite_datetime_trunc("quarter", value, "Europe/Rome", "UTC"),
                )

    def test_null(self):
        ops = self.in_zone("UTC")
        for compiled in (
            ops.datetime_extract_sql("hour", "NULL", (), "Europe/Rome"),
            ops.datetime_trunc_sql("week", "NULL", (), "Europe/Rome"),
            ops.datetime_cast_time_sql("NULL", (), "Europe/Rome"),
            ops.datetime_extract_sql("hour", "'not a date'", (), "Europe/Rome"),
        ):
            self.assertEqual(set(self.compute(compiled)), {None})

    def test_times_of_day(self):
        ops = self.in_zone("UTC")
        for value in ("00:00:00", "10:20:30", "23:59:59.999999", "01:02:03.000004"):
            for kind in ("hour", "minute", "second", "microsecond"):
                (found,) = set(self.compute(ops.time_extract_sql(kind, "%s", (value,))))
                self.assertEqual(found, native._sqlite_time_extract(kind, value))
            for kind in TIME_TRUNCS:
                (found,) = set(self.compute(ops.time_trunc_sql(kind, "%s", (value,))))
                self.assertEqual(found, native._sqlite_time_trunc(kind, value, None, None))

    def test_an_unknown_kind(self):
        with self.assertRaisesRegex(OperationalError, "fortnight"):
            self.connection.ops.datetime_extract_sql("fortnight", "moments.value", (), None)


VALUE = object()


class ArithmeticTests(unittest.TestCase):
    """Differences and sums of moments and durations, in microseconds."""

    def setUp(self):
        self.source = random.Random(20260102)
        self.connection = connections["durable_object"]

    def select(self, compiled):
        sql, params = compiled
        with self.connection.cursor() as cursor:
            cursor.execute(f"SELECT {sql}", params)
            return cursor.fetchone()[0]

    def test_differences(self):
        ops = self.connection.ops
        values = moments(200, self.source)
        for left, right in zip(values, reversed(values), strict=True):
            found = self.select(
                ops.subtract_temporals("DateTimeField", ("%s", (left,)), ("%s", (right,)))
            )
            self.assertEqual(found, native._sqlite_timestamp_diff(left, right))
        for left, right in (("10:00:00.5", "23:59:59"), ("23:00:00", "01:30:00.000001")):
            found = self.select(
                ops.subtract_temporals("TimeField", ("%s", (left,)), ("%s", (right,)))
            )
            self.assertEqual(found, native._sqlite_time_diff(left, right))

    def test_sums(self):
        from django_on_workers.db.sqlite.dates import shift
        from django_on_workers.db.sqlite.fragments import Fragment

        for index, value in enumerate(moments(300, self.source)):
            if index % 4 == 0:
                value = value[:10]
            micros = self.source.randrange(-(10**16), 10**16) if index % 2 else 86_400_000_000
            for sign in "+-":
                try:
                    expected = native._sqlite_format_dtdelta(sign, value, micros)
                except OverflowError:
                    continue
                found = self.select(
                    shift(Fragment("%s", (value,)), sign, Fragment("%s", (micros,)), bind=True)
                )
                self.assertEqual(found, expected, f"{value} {sign} {micros}")
