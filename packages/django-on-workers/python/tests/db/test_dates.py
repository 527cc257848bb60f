"""Dates in SQL against native Django, over random instants and zones, and those where clocks change."""

import datetime
import random
import unittest
import zoneinfo

from .project import (
    ALIASES,
    BACKENDS,
    NATIVE,
    TestCase,
    create_tables,
    delete_tables,
    part,
    report,
    setup,
)

setup()

from django.db import OperationalError, connections, models  # noqa: E402
from django.db.models import F, functions  # noqa: E402
from django.test.utils import override_settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from django_on_workers.db.sqlite import zones  # noqa: E402

UTC = datetime.UTC
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3600

INSTANTS = part(10_000, 150, inside=100)
#: What applications meet most, and what is odd: half hours, two changes a year that are none of
#: Europe's, negative daylight saving, Ramadan, no daylight saving, and offsets without a name.
NAMED_ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Europe/Dublin",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "UTC+05:30",
    "UTC-03:15",
)
ZONES = part(20, 12, inside=len(NAMED_ZONES))


class Moment(models.Model):
    """A point in time; ``other`` and ``length`` are unrelated ones, for arithmetic."""

    moment = models.DateTimeField(null=True)
    other = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    time = models.TimeField(null=True)
    length = models.DurationField(null=True)

    class Meta:
        app_label = "dates"
        ordering = ["pk"]


DATE_PARTS = ("year", "iso_year", "quarter", "month", "week", "day", "week_day", "iso_week_day")
TIME_PARTS = ("hour", "minute", "second")
DATE_UNITS = ("year", "quarter", "month", "week", "day")
TIME_UNITS = ("hour", "minute", "second")


def expressions(tzinfo=None):
    """Give every kind of ``Extract`` and ``Trunc`` of every field, by name."""
    zoned = {"tzinfo": tzinfo} if tzinfo else {}
    for kind in (*DATE_PARTS, *TIME_PARTS, "microsecond"):
        yield f"moment_{kind}", functions.Extract("moment", kind, **zoned)
    for unit in DATE_UNITS:
        yield f"trunc_{unit}", functions.Trunc("moment", unit, **zoned)
        output = {"output_field": models.DateField()}
        yield f"trunc_{unit}_to_date", functions.Trunc("moment", unit, **output, **zoned)
    for unit in TIME_UNITS:
        yield f"trunc_{unit}", functions.Trunc("moment", unit, **zoned)
        output = {"output_field": models.TimeField()}
        yield f"trunc_{unit}_to_time", functions.Trunc("moment", unit, **output, **zoned)
    yield "date", functions.TruncDate("moment", **zoned)
    yield "to_time", functions.TruncTime("moment", **zoned)


def plain_expressions():
    """Give what no zone changes."""
    for kind in DATE_PARTS:
        yield f"day_{kind}", functions.Extract("day", kind)
    for unit in DATE_UNITS:
        yield f"day_trunc_{unit}", functions.Trunc("day", unit)
    for kind in (*TIME_PARTS, "microsecond"):
        yield f"time_{kind}", functions.Extract("time", kind)
    for unit in TIME_UNITS:
        yield f"time_trunc_{unit}", functions.Trunc("time", unit)


def lookups(moment, zone):
    """Give lookups of every kind, with the parts of one of the stored moments as their values."""
    local = timezone.localtime(moment, zone) if timezone.is_aware(moment) else moment
    values = {
        "year": local.year,
        "iso_year": local.isocalendar().year,
        "quarter": (local.month + 2) // 3,
        "month": local.month,
        "week": local.isocalendar().week,
        "day": local.day,
        "week_day": local.isoweekday() % 7 + 1,
        "iso_week_day": local.isoweekday(),
        "hour": local.hour,
        "minute": local.minute,
        "second": local.second,
        "date": local.date(),
        "time": local.time(),
    }
    for kind, value in values.items():
        for comparison in ("exact", "gt", "gte", "lt", "lte"):
            yield {f"moment__{kind}__{comparison}": value}
        yield {f"moment__{kind}__in": [value]}
    for kind in ("year", "month", "hour"):
        yield {f"moment__{kind}__range": (values[kind] - 1, values[kind] + 1)}
    for kind in DATE_PARTS:
        yield {f"day__{kind}": values[kind]}
        yield {f"day__{kind}__lt": values[kind]}
    for kind in TIME_PARTS:
        yield {f"time__{kind}": values[kind]}
        yield {f"time__{kind}__gte": values[kind]}
    yield {"moment__date__year": values["year"]}
    yield {"moment__date__week__gt": values["week"]}


def changes(name):
    """Return the Unix seconds at which a zone's clock changes."""
    if name.startswith("UTC"):
        return [0]
    zone = zones.zone(name)
    found = [second for second, _ in zone.transitions]
    if isinstance(zone.last, zones.Rule):
        for year in (*range(2000, 2060), 2100, 2400, 9000):
            found += [second for second, _ in zone.last.transitions(year)]
    return found or [0]


def instants(count, source, names):
    """Give instants: of all years, of the last and the next century, and around changes of the clock."""
    seconds_of_changes = {name: changes(name) for name in names}
    for index in range(count):
        if index % 4 == 0:
            seconds = source.randrange(-62_000_000_000, 253_300_000_000)
        elif index % 4 == 1:
            seconds = source.randrange(-2_200_000_000, 4_200_000_000)
        else:
            change = source.choice(seconds_of_changes[source.choice(names)])
            seconds = change + source.choice([-1, 0, 1, source.randrange(-3 * HOUR, 3 * HOUR)])
        micros = source.choice([0, 0, 1, 999_999, source.randrange(1_000_000)])
        yield EPOCH + datetime.timedelta(seconds=max(seconds, -62_000_000_000), microseconds=micros)


def rows(count, source, names):
    for key, moment in enumerate(instants(count, source, names), start=1):
        day = moment.date()
        if key % 50 == 0:
            day = source.choice([datetime.date.min, datetime.date.max])
        if key % 97 == 0:
            yield Moment(pk=key)
            continue
        other = EPOCH + datetime.timedelta(seconds=source.randrange(-(10**9), 10**10))
        yield Moment(
            pk=key,
            moment=moment,
            other=other.replace(microsecond=source.randrange(10**6) if key % 3 else 0),
            day=day,
            time=moment.time() if key % 2 else moment.time().replace(microsecond=0),
            length=datetime.timedelta(microseconds=source.randrange(-(10**15), 10**15)),
        )


def zone_of(name):
    """Return the zone as a project would name it: offsets are ``datetime.timezone``."""
    for sign, factor in (("+", 1), ("-", -1)):
        base, found, offset = name.partition(f"UTC{sign}")
        if found and not base:
            hours, minutes = map(int, offset.split(":"))
            return datetime.timezone(factor * datetime.timedelta(hours=hours, minutes=minutes))
    return zoneinfo.ZoneInfo(name)


class DatesTests(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = random.Random(20260101)
        names = sorted(zoneinfo.available_timezones() - {"localtime", "posixrules", "Factory"})
        others = cls.source.sample(names, ZONES - len(NAMED_ZONES))
        cls.zones = (*NAMED_ZONES, *others)
        made = list(rows(INSTANTS, cls.source, cls.zones))
        cls.moments = [row.moment for row in made if row.moment]
        create_tables(Moment)
        for alias in ALIASES:
            Moment.objects.using(alias).bulk_create(made)
        cls.compared = 0

    @classmethod
    def tearDownClass(cls):
        delete_tables(Moment)
        report("dates", instants=INSTANTS, zones=len(cls.zones), values_compared=cls.compared)

    def compare(self, query, message):
        """Compare what a query of the model's rows gives on native SQLite and on the backends."""
        expected = list(query(Moment.objects.using(NATIVE)))
        type(self).compared += len(expected) * (
            len(expected[0]) if expected and isinstance(expected[0], tuple) else 1
        )
        for alias in BACKENDS:
            found = list(query(Moment.objects.using(alias)))
            if found == expected:
                continue
            for one, other in zip(found, expected, strict=True):
                self.assertEqual(one, other, f"{alias}, {message}")

    def compare_expressions(self, named, message, **condition):
        # A few in a statement, which may have 100,000 bytes.
        named = list(named)
        for start in range(0, len(named), 4):
            annotations = dict(named[start : start + 4])
            self.compare(
                lambda query, a=annotations: (
                    query.filter(**condition).annotate(**a).values_list("pk", "moment", *a)
                ),
                f"{message}: {', '.join(annotations)}",
            )

    def compare_lookups(self, moments, zone, message):
        for moment in moments:
            for condition in lookups(moment, zone):
                self.compare(
                    lambda query, c=condition: query.filter(**c).values_list("pk", flat=True),
                    f"{message}: {condition}",
                )
        condition = {"moment__hour__in": [0, 3], "moment__week_day": 1}
        self.compare(lambda query: query.exclude(**condition).values_list("pk"), message)

    def compare_lists(self, message):
        for unit in ("year", "month", "week", "day"):
            self.compare(lambda query, u=unit: query.dates("moment", u), f"{message}: {unit}")
        for unit in (*DATE_UNITS[:1], "month", "week", "day", *TIME_UNITS):
            self.compare(
                lambda query, u=unit: query.datetimes("moment", u, order="DESC"),
                f"{message}: {unit}",
            )

    def test_in_every_zone(self):
        for name in self.zones:
            zone = zone_of(name)
            with timezone.override(zone):
                self.compare_expressions(expressions(), name)
                self.compare_lookups(self.source.sample(self.moments, 1), zone, name)
                self.compare_lists(name)

    def test_zones_of_expressions(self):
        for name in self.source.sample(self.zones, part(5, 2)):
            with timezone.override("Asia/Tokyo"):
                self.compare_expressions(expressions(zone_of(name)), f"tzinfo={name}")

    def test_without_zones(self):
        with override_settings(USE_TZ=False):
            self.compare_expressions(expressions(), "USE_TZ=False")
            moments = [moment.replace(tzinfo=None) for moment in self.moments]
            self.compare_lookups(self.source.sample(moments, 2), None, "USE_TZ=False")
            self.compare_lists("USE_TZ=False")

    def test_dates_and_times(self):
        self.compare_expressions(plain_expressions(), "day and time")

    def test_a_database_in_another_zone(self):
        for stored in ("Asia/Tehran", "America/Sao_Paulo", "Australia/Lord_Howe"):
            for alias in ALIASES:
                vars(connections[alias]).update(
                    timezone=zoneinfo.ZoneInfo(stored), timezone_name=stored
                )
                for name in ("timezone", "timezone_name"):
                    self.addCleanup(vars(connections[alias]).pop, name, None)
            for name in ("UTC", "Europe/Paris", stored):
                with timezone.override(name):
                    self.compare_expressions(expressions(), f"{name}, stored in {stored}")

    def test_arithmetic(self):
        shifted = F("moment") + F("length")
        # Python's dates end with the year 9999, and native SQLite fails there.
        inside = {"moment__year__gt": 100, "moment__year__lt": 9900}
        for use_tz in (True, False):
            with override_settings(USE_TZ=use_tz), timezone.override("Europe/Dublin"):
                self.compare_expressions(
                    {
                        "sum": shifted,
                        "difference": F("moment") - F("length"),
                        "fixed": F("moment") - datetime.timedelta(days=-4000, microseconds=7),
                        "between": F("moment") - F("other"),
                        "between_days": F("day") - functions.TruncDate("other"),
                        "between_times": F("time") - functions.TruncTime("other"),
                        "later_day": models.ExpressionWrapper(
                            functions.TruncDate("other") + F("length"), models.DateField()
                        ),
                        "chain": shifted - datetime.timedelta(hours=5) - F("length"),
                        "year": functions.ExtractYear(shifted),
                        "month": functions.TruncMonth(shifted),
                        "hour": functions.TruncHour(F("other") - F("length")),
                        "double": models.ExpressionWrapper(F("length") * 2, models.DurationField()),
                        "third": models.ExpressionWrapper(F("length") / 3, models.DurationField()),
                    }.items(),
                    f"arithmetic, USE_TZ={use_tz}",
                    **inside,
                )
                for condition in (
                    {"moment__gt": F("other") + F("length")},
                    {"moment__lte": F("other") - datetime.timedelta(days=9000)},
                    {"length__lt": datetime.timedelta(days=-3)},
                    {"other__hour__lt": functions.ExtractHour("moment")},
                    {"moment__date__gt": F("day")},
                ):
                    self.compare(
                        lambda query, c=condition: query.filter(**c).values_list("pk"), condition
                    )
        self.compare(
            lambda query: [
                tuple(
                    query.aggregate(
                        a=models.Max("moment"),
                        b=models.Min("day"),
                        c=models.Sum("length"),
                        d=models.Avg("length"),
                        e=models.Max(F("moment") - F("other")),
                    ).values()
                )
            ],
            "aggregates",
        )

    def test_now(self):
        for use_tz in (True, False):
            with override_settings(USE_TZ=use_tz):
                for comparison in ("lt", "gte"):
                    self.compare(
                        lambda query, c=comparison: query.filter(
                            **{f"moment__{c}": functions.Now()}
                        ).values_list("pk"),
                        f"moment__{comparison}=Now()",
                    )
                for alias in BACKENDS:
                    query = Moment.objects.using(alias).annotate(now=functions.Now())
                    now = query.values_list("now", flat=True)[0]
                    self.assertEqual(timezone.is_aware(now), use_tz)
                    self.assertLess(abs(now - timezone.now()), datetime.timedelta(days=1))

    def test_parts_of_durations_are_refused(self):
        for alias in ALIASES:
            with self.assertRaisesRegex(ValueError, "native DurationField"):
                list(Moment.objects.using(alias).annotate(x=functions.ExtractDay("length")))

    def test_in_groups(self):
        with timezone.override("America/New_York"):
            self.compare(
                lambda query: (
                    query.order_by()
                    .annotate(
                        year=functions.TruncYear("moment"), hour=functions.ExtractHour("moment")
                    )
                    .values("year", "hour")
                    .annotate(
                        count=models.Count("pk"), last=functions.TruncDay(models.Max("other"))
                    )
                    .order_by("year", "hour")
                    .values_list("year", "hour", "count", "last")
                ),
                "groups",
            )


class OperationsTests(TestCase):
    """What the operations give where there is no query around them."""

    def setUp(self):
        self.ops = connections[BACKENDS[0]].ops

    def select(self, compiled):
        sql, params = compiled
        with connections[BACKENDS[0]].cursor() as cursor:
            cursor.execute(f"SELECT {sql}", params)
            return cursor.fetchone()[0]

    def native(self, compiled):
        sql, params = compiled
        with connections[NATIVE].cursor() as cursor:
            cursor.execute(f"SELECT {sql}", params)
            return cursor.fetchone()[0]

    def test_without_subqueries(self):
        source = random.Random(20260102)
        values = [str(m.replace(tzinfo=None)) for m in instants(40, source, ["Europe/Paris"])]
        native = connections[NATIVE].ops
        for name in ("Europe/Paris", "UTC+05:30", "Africa/Casablanca"):
            for value in values:
                with self.ops.without_subqueries():
                    compiled = self.ops.datetime_extract_sql("hour", f"'{value}'", (), name)
                self.assertNotIn("SELECT", compiled[0])
                expected = self.native(native.datetime_extract_sql("hour", "%s", (value,), name))
                self.assertEqual(self.select(compiled), expected, f"{value} in {name}")

    def test_null(self):
        for compiled in (
            self.ops.datetime_extract_sql("hour", "NULL", (), "Europe/Rome"),
            self.ops.datetime_trunc_sql("week", "NULL", (), "Europe/Rome"),
            self.ops.datetime_cast_time_sql("NULL", (), "Europe/Rome"),
            self.ops.datetime_extract_sql("hour", "'not a date'", (), "Europe/Rome"),
        ):
            self.assertIsNone(self.select(compiled))

    def test_an_unknown_kind(self):
        with self.assertRaisesRegex(OperationalError, "fortnight"):
            self.ops.datetime_extract_sql("fortnight", "moments.value", (), None)


if __name__ == "__main__":
    unittest.main()
