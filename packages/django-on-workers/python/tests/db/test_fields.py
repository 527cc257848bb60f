"""Values of every kind of field, and the platform's limits, against native SQLite: through models, both ways."""

import datetime
import random
import unittest
import uuid
from decimal import Decimal

import django

from .project import (
    ALIASES,
    BACKENDS,
    NATIVE,
    TestCase,
    create_tables,
    delete_tables,
    is_d1,
    part,
    report,
    setup,
)

setup()

from django.db import (  # noqa: E402
    DataError,
    IntegrityError,
    NotSupportedError,
    connections,
    models,
)
from django.db.models import F, Q, functions  # noqa: E402

VALUES = part(5_000, 120, inside=60)

UTC = datetime.UTC


class Value(models.Model):
    """A field of each kind that stores a value."""

    big = models.BigIntegerField(null=True)
    positive = models.PositiveBigIntegerField(null=True)
    small = models.SmallIntegerField(null=True)
    flag = models.BooleanField(null=True)
    real = models.FloatField(null=True)
    price = models.DecimalField(max_digits=15, decimal_places=5, null=True)
    text = models.TextField(null=True)
    word = models.CharField(max_length=300, null=True)
    raw = models.BinaryField(null=True)
    day = models.DateField(null=True)
    moment = models.DateTimeField(null=True)
    time = models.TimeField(null=True)
    length = models.DurationField(null=True)
    key = models.UUIDField(null=True)
    data = models.JSONField(null=True)
    address = models.GenericIPAddressField(null=True)

    class Meta:
        app_label = "fields"
        ordering = ["pk"]


FIELDS = [field.name for field in Value._meta.concrete_fields if not field.primary_key]

EDGES = {
    "big": [0, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**31, -(2**31) - 1],
    "positive": [0, 2**53 - 1, 2**53, 2**63 - 1],
    "small": [0, -32768, 32767],
    "flag": [True, False],
    "real": [0.0, -0.0, 0.1, 1e308, 5e-324, -1.5, 2.0**53, 2.0**63, 1e22, 3.0],
    "price": [Decimal("0"), Decimal("-0.00001"), Decimal("123456789.12345"), Decimal("1.50")],
    "text": [
        "",
        " ",
        "\0",
        "a\0b",
        "'\"\\%_?",
        "\ud7ff\ue000\uffff\ufffe",
        "🐍👩‍👩‍👧",
        "\U0010ffff",
        "e\u0301",
        "é",
        "\u2028\r\n\t\x7f\x01",
        "NULL",
        "1",
        "1e5",
        "\ufeffx",
        "x" * 100_000,
    ],
    "word": ["", "'", "日本", "%s", "a" * 300],
    "raw": [b"", b"\0", b"\0\0x'", b"\xff\xfe", bytes(range(256)), b"text", b"z" * 300_000],
    "day": [datetime.date.min, datetime.date.max, datetime.date(2000, 2, 29)],
    "moment": [
        datetime.datetime.min.replace(tzinfo=UTC),
        datetime.datetime.max.replace(tzinfo=UTC),
        datetime.datetime(1970, 1, 1, 0, 0, 0, 1, UTC),
    ],
    "time": [datetime.time.min, datetime.time.max, datetime.time(1, 2, 3)],
    "length": [
        datetime.timedelta(0),
        datetime.timedelta(microseconds=-1),
        datetime.timedelta(days=106_751_991, microseconds=1),
        datetime.timedelta(days=-106_751_991),
    ],
    "key": [uuid.UUID(int=0), uuid.UUID(int=2**128 - 1)],
    "data": [
        {},
        [],
        "",
        "text",
        0,
        True,
        False,
        1.5,
        {"é": [None, {"": "\ud83d\ude00 🐍"[3:]}]},
        [2**53 - 1, -1.25e-7],
        {"a\"b'c": "\u2028"},
    ],
    "address": ["0.0.0.0", "::1", "2001:db8::ffff"],
}


def random_of(name, source):
    micros = source.randrange(-(10**17), 10**17)
    return {
        "big": lambda: source.randrange(-(2**63), 2**63) >> source.randrange(64),
        "positive": lambda: source.randrange(2**63) >> source.randrange(63),
        "small": lambda: source.randrange(-32768, 32768),
        "flag": lambda: source.random() < 0.5,
        "real": lambda: source.uniform(-1, 1) * 10.0 ** source.randrange(-300, 300),
        "price": lambda: Decimal(source.randrange(-(10**14), 10**14)).scaleb(-5),
        "text": lambda: text(source, source.randrange(40)),
        "word": lambda: text(source, source.randrange(20)),
        "raw": lambda: source.randbytes(source.randrange(30)),
        "day": lambda: datetime.date.fromordinal(source.randrange(1, 3_652_060)),
        "moment": lambda: (
            datetime.datetime(2000, 1, 1, tzinfo=UTC) + datetime.timedelta(microseconds=micros // 2)
        ),
        "time": lambda: (
            datetime.datetime.min + datetime.timedelta(microseconds=abs(micros))
        ).time(),
        "length": lambda: datetime.timedelta(microseconds=micros),
        "key": lambda: uuid.UUID(int=source.getrandbits(128)),
        "data": lambda: {text(source, 3): [source.random(), text(source, 5), None, {"b": [True]}]},
        "address": lambda: ".".join(str(source.randrange(256)) for _ in range(4)),
    }[name]()


def text(source, length):
    """Return any text that UTF-8 can say."""
    found = []
    while len(found) < length:
        code = source.choice([source.randrange(128), source.randrange(0x11_0000)])
        if not 0xD800 <= code < 0xE000:
            found.append(chr(code))
    return "".join(found)


def values(source):
    for index in range(VALUES):
        found = {}
        for name in FIELDS:
            edges = EDGES[name]
            if index < len(edges):
                found[name] = edges[index]
            elif source.random() > 0.1:
                found[name] = random_of(name, source)
        yield Value(pk=index + 1, **found)


def seen(value):
    """Return a value with its type, and bytes as such."""
    if isinstance(value, memoryview):
        value = bytes(value)
    return type(value), repr(value)


class ValuesTests(TestCase):
    @classmethod
    def setUpClass(cls):
        create_tables(Value)

    @classmethod
    def tearDownClass(cls):
        delete_tables(Value)

    def tearDown(self):
        for alias in ALIASES:
            Value.objects.using(alias).all().delete()

    def read(self, alias):
        rows = Value.objects.using(alias).values_list("pk", *FIELDS).iterator(chunk_size=50)
        return [tuple(map(seen, row)) for row in rows]

    def assertRowsAreNative(self, message):
        expected = self.read(NATIVE)
        for alias in BACKENDS:
            for found, row in zip(self.read(alias), expected, strict=True):
                for name, one, other in zip(("pk", *FIELDS), found, row, strict=True):
                    self.assertEqual(one, other, f"{alias}, {message}, row {row[0]}, {name}")

    def test_created_many_at_once(self):
        rows = list(values(random.Random(20260105)))
        for alias in ALIASES:
            Value.objects.using(alias).bulk_create(rows, batch_size=25)
        self.assertRowsAreNative("bulk_create")
        # What was written, apart from what SQLite itself rounds.
        for alias in BACKENDS:
            for row, found in zip(rows, Value.objects.using(alias), strict=True):
                for name in ("big", "positive", "text", "day", "moment", "time", "length", "key"):
                    self.assertEqual(getattr(found, name), getattr(row, name), name)
                self.assertEqual(found.raw is None, row.raw is None)
                if row.raw is not None:
                    self.assertEqual(bytes(found.raw), row.raw)
        report("values", rows=VALUES, values_compared=VALUES * len(FIELDS) * len(BACKENDS))

    def test_created_one_by_one_changed_and_found(self):
        source = random.Random(20260106)
        for row in list(values(source))[: part(1_000, 40, inside=17)]:
            given = {name: getattr(row, name) for name in FIELDS}
            for alias in ALIASES:
                Value.objects.using(alias).create(pk=row.pk, **given)
            other = {name: source.choice(EDGES[name]) for name in FIELDS}
            for alias in ALIASES:
                Value.objects.using(alias).filter(pk=row.pk).update(**other)
            # Found again by each of its values.
            for name in FIELDS:
                if name == "data":
                    continue
                query = Q(**{name: other[name]})
                expected = list(Value.objects.using(NATIVE).filter(query).values_list("pk"))
                for alias in BACKENDS:
                    found = list(Value.objects.using(alias).filter(query).values_list("pk"))
                    self.assertEqual(found, expected, f"{alias}: {name}={other[name]!r}"[:300])
                    self.assertIn((row.pk,), found)
        self.assertRowsAreNative("update")

    def test_changed_many_at_once(self):
        source = random.Random(20260107)
        rows = list(values(source))[:60]
        for alias in ALIASES:
            Value.objects.using(alias).bulk_create(rows)
        for row in rows:
            for name in FIELDS:
                setattr(row, name, source.choice([None, random_of(name, source)]))
        for alias in ALIASES:
            Value.objects.using(alias).bulk_update(rows, FIELDS)
        self.assertRowsAreNative("bulk_update")

    def test_expressions_keep_them(self):
        for alias in ALIASES:
            Value.objects.using(alias).bulk_create(list(values(random.Random(20260108)))[:50])
        # Beyond 64 bits SQLite goes on with real numbers.
        small = Q(big__gt=-(2**62), big__lt=2**62)
        for annotated in (
            {"x": F("big") + 1},
            {"x": F("big") - 2**53},
            {"x": F("positive") * -1},
            {"x": models.Max("big")},
            {"x": functions.Coalesce("big", 2**62 + 1)},
            {"x": functions.Cast("big", models.TextField())},
            {"x": functions.Greatest("big", "big", output_field=models.BigIntegerField())},
            {"x": models.Case(models.When(flag=True, then="big"), default=2**60 + 1)},
        ):
            expected = None
            for alias in ALIASES:
                rows = Value.objects.using(alias).filter(small).annotate(**annotated)
                found = [seen(row[0]) for row in rows.values_list("x")]
                expected = expected or found
                self.assertEqual(found, expected, f"{alias}: {annotated}")
        for alias in ALIASES:
            self.assertEqual(
                Value.objects.using(alias).aggregate(x=models.Max("big"), n=models.Min("big")),
                {"x": 2**63 - 1, "n": -(2**63)},
            )

    def test_what_is_refused(self):
        for name, value in (
            ("big", 2**63),
            ("big", -(2**63) - 1),
            ("text", "\ud800"),
            ("positive", -1),
            ("data", float("inf")),
            ("data", "\ud800"),
            ("price", Decimal("NaN")),
            ("price", float("inf")),
            ("price", float("nan")),
            ("price", Decimal("Infinity")),
        ):
            raised = []
            for alias in ALIASES:
                try:
                    Value.objects.using(alias).create(**{name: value})
                except Exception as error:
                    raised.append((type(error), str(error).partition(":")[0]))
                else:
                    raised.append(seen(Value.objects.using(alias).values_list(name)[0][0]))
                Value.objects.using(alias).all().delete()
            self.assertEqual(set(raised), set(raised[:1]), f"{name}={value!r}")

    def test_infinities(self):
        """Django's SQLite stores an infinity of a FloatField, and NULL for what is no number."""
        for value in (float("inf"), float("-inf"), float("nan")):
            for alias in ALIASES:
                query = Value.objects.using(alias)
                if is_d1(alias) and value == value:
                    with self.assertRaisesRegex(DataError, "infinite"):
                        query.create(real=value)
                    continue
                query.create(real=value)
                expected = value if value == value else None
                self.assertEqual(query.get().real, expected)
                query.all().delete()


class Part(models.Model):
    """What constraints, generated columns, and defaults of the database need."""

    word = models.CharField(max_length=200)
    number = models.IntegerField(default=1)
    other = models.IntegerField(db_default=7)
    made = models.DateTimeField(db_default=functions.Now())
    twice = models.GeneratedField(
        expression=F("number") * 2, output_field=models.IntegerField(), db_persist=False
    )
    loud = models.GeneratedField(
        expression=functions.Upper("word"),
        output_field=models.CharField(max_length=200),
        db_persist=True,
    )

    class Meta:
        app_label = "fields"
        ordering = ["pk"]
        indexes = [
            models.Index(functions.Lower("word"), "number", name="by_lower_word"),
            models.Index(fields=["number"], condition=Q(other__gt=3), name="large_others"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["word"], condition=Q(number__gte=0), name="unique_of_positive"
            ),
            models.UniqueConstraint(functions.Lower("word"), "other", name="unique_lower"),
            models.CheckConstraint(
                name="range",
                **{
                    "condition" if django.VERSION >= (5, 1) else "check": Q(number__lt=1000)
                    & (Q(word__startswith="a" * 60) | Q(number__lt=500))
                },
            ),
        ]


class ConstraintsTests(TestCase):
    def setUp(self):
        create_tables(Part)

    def tearDown(self):
        delete_tables(Part)

    def test_each_refuses_what_native_sqlite_refuses(self):
        for alias in ALIASES:
            parts = Part.objects.using(alias)
            parts.create(word="b")
            parts.create(word="a" * 61, number=700)
            parts.create(word="c", number=-1)
            parts.create(word="c", number=-1, other=8)
            for refused in (
                {"word": "b", "other": 9},
                {"word": "B"},
                {"word": "x", "number": 1000},
                {"word": "b" * 70, "number": 600},
                {"word": "c", "number": -5},
            ):
                with self.assertRaises(IntegrityError, msg=f"{alias}, {refused}"):
                    parts.create(**refused)
            self.assertEqual(
                list(parts.values_list("word", "number", "other", "twice", "loud")),
                [
                    ("b", 1, 7, 2, "B"),
                    ("a" * 61, 700, 7, 1400, "A" * 61),
                    ("c", -1, 7, -2, "C"),
                    ("c", -1, 8, -2, "C"),
                ],
            )
            self.assertLess(
                abs(parts.first().made - datetime.datetime.now(UTC)), datetime.timedelta(days=1)
            )

    def test_upserts(self):
        for alias in ALIASES:
            parts = Part.objects.using(alias)
            parts.bulk_create(Part(pk=number, word=f"w{number}") for number in range(1, 301))
            parts.bulk_create(
                (Part(pk=number, word=f"v{number}", number=5) for number in range(200, 401)),
                update_conflicts=True,
                unique_fields=["pk"],
                update_fields=["word", "number"],
            )
            self.assertEqual(parts.count(), 400)
            self.assertEqual(parts.filter(word__startswith="v", number=5, twice=10).count(), 201)
            self.assertEqual(sorted(parts.in_bulk(range(0, 900, 3))), list(range(3, 401, 3)))

    def test_the_indexes_are_used(self):
        for alias in BACKENDS:
            parts = Part.objects.using(alias).annotate(low=functions.Lower("word"))
            self.assertIn("by_lower_word", parts.filter(low="w", number=1).explain())


class LimitsTests(TestCase):
    """What the platform limits, and nobody should notice; what it can't do, by name."""

    @classmethod
    def setUpClass(cls):
        ValuesTests.setUpClass()
        for alias in ALIASES:
            Value.objects.using(alias).bulk_create(
                Value(pk=number, big=number * 7, word=f"word {number} " * 20, text="t" * number)
                for number in range(1, 301)
            )

    @classmethod
    def tearDownClass(cls):
        ValuesTests.tearDownClass()

    def same(self, query):
        expected = list(query(Value.objects.using(NATIVE)))
        for alias in BACKENDS:
            self.assertEqual(list(query(Value.objects.using(alias))), expected, alias)
        return expected

    def test_lists_of_ten_thousand(self):
        keys = list(range(0, 20_000, 2))
        self.assertEqual(len(self.same(lambda q: q.filter(big__in=keys).values_list("pk"))), 150)
        words = [f"word {number} " * 20 for number in range(1_000)]
        self.assertEqual(len(self.same(lambda q: q.filter(word__in=words).values_list("pk"))), 300)

    def test_more_text_in_parameters_than_a_statement_may_have(self):
        words = [f"{number} " * 500 for number in range(150)]
        condition = Q()
        for word in words:
            condition |= Q(text=word) | Q(word=word)
        self.same(lambda q: q.filter(condition).values_list("pk"))

    def test_patterns(self):
        self.assertEqual(
            len(self.same(lambda q: q.filter(word__contains="word 77 " * 15).values_list("pk"))), 1
        )
        self.assertEqual(
            len(self.same(lambda q: q.filter(word__iendswith="WORD 8 " * 9).values_list("pk"))), 1
        )

    def test_a_thousand_terms(self):
        condition = Q()
        for number in range(1_000):
            condition |= Q(big=number * 14)
        # Native SQLite does not go so deep.
        for alias in BACKENDS:
            self.assertEqual(Value.objects.using(alias).filter(condition).count(), 150)

    def test_a_statement_that_is_too_long_is_refused_by_name(self):
        for alias in BACKENDS:
            # As a literal in SQL: what is a parameter need not be in the statement.
            with connections[alias].cursor() as cursor:
                with self.assertRaisesRegex(DataError, "statement too long"):
                    cursor.execute(f"SELECT '{'x' * 100_000}'")

    def test_regular_expressions_across_tables_are_refused_by_name(self):
        for alias in BACKENDS:
            with self.assertRaisesRegex(NotSupportedError, "regex"):
                list(
                    Value.objects.using(alias)
                    .annotate(longest=models.Max("word"))
                    .filter(longest__regex="x")
                )


if __name__ == "__main__":
    unittest.main()
