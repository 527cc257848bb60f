"""Queries beyond the platform's limits, and functions that SQLite lacks, against native SQLite."""

import datetime
import random
import unittest
import uuid
from decimal import Decimal
from functools import reduce
from operator import or_, xor

import django

from .project import ALIASES, BACKENDS, NATIVE, TestCase, create_tables, delete_tables, part, setup

setup()

from django.db import NotSupportedError, OperationalError, models  # noqa: E402
from django.db.models import F, Q, Value, functions  # noqa: E402
from django.db.models.functions import Cast, Concat  # noqa: E402


class Shelf(models.Model):
    name = models.CharField(max_length=300)
    pattern = models.CharField(max_length=20, default="")

    class Meta:
        app_label = "queries"


class Item(models.Model):
    shelf = models.ForeignKey(Shelf, models.CASCADE)
    text = models.TextField()
    number = models.BigIntegerField()
    real = models.FloatField(null=True)
    price = models.DecimalField(max_digits=12, decimal_places=3)
    day = models.DateField()
    moment = models.DateTimeField()
    length = models.DurationField()
    key = models.UUIDField(default=uuid.uuid4)
    data = models.JSONField(null=True)
    raw = models.BinaryField(default=b"")
    flag = models.BooleanField(null=True)

    class Meta:
        app_label = "queries"
        ordering = ["pk"]


class Wide(models.Model):
    """Half of the columns that a table can have; with its relation there are too many."""

    next = models.ForeignKey("self", models.CASCADE, null=True)
    for number in range(60):
        locals()[f"f{number}"] = (
            models.TextField,
            models.FloatField,
            models.BigIntegerField,
            models.BinaryField,
        )[number % 4](null=True)
    del number

    class Meta:
        app_label = "queries"


MODELS = (Shelf, Item, Wide)
COUNT = 400


def items(source):
    words = ["alpha", "Beta", "GAMMA", "50%", "under_score", "naïve", "日本", "a'b", ""]
    for number in range(COUNT):
        moment = datetime.datetime(1990, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(
            seconds=source.randrange(10**9), microseconds=source.randrange(10**6)
        )
        yield Item(
            pk=number + 1,
            shelf_id=number % 5 + 1,
            text=" ".join(source.choice(words) for _ in range(source.randrange(1, 14))),
            number=source.choice([number, -number, 2**53 + number, -(2**62) - number]),
            real=source.choice([None, 1.0, -2.5, 1e20, source.random()]),
            price=Decimal(source.randrange(10**8)) / 1000,
            day=moment.date(),
            moment=moment,
            length=datetime.timedelta(microseconds=source.randrange(-(10**13), 10**13)),
            key=uuid.UUID(int=source.getrandbits(128)),
            data=source.choice(
                [None, {"a": number, "b": {"c": [1, "x", None]}}, ["a", 1.5], "text", 2**60, True]
            ),
            raw=source.randbytes(source.randrange(6)),
            flag=source.choice([None, True, False]),
        )


class QueriesTests(TestCase):
    @classmethod
    def setUpClass(cls):
        create_tables(*MODELS)
        for alias in ALIASES:
            Shelf.objects.using(alias).bulk_create(
                Shelf(pk=number, name=f"Shelf {number}" * number * 9, pattern=f"^{number}|a.b")
                for number in range(1, 6)
            )
            Item.objects.using(alias).bulk_create(items(random.Random(20260104)))

    @classmethod
    def tearDownClass(cls):
        delete_tables(*MODELS)

    def assertSame(self, query, *, almost=False):
        """Compare what a query gives; it takes a function that gives the manager of a model."""
        expected = query(lambda model: model.objects.using(NATIVE))
        for alias in BACKENDS:
            found = query(lambda model, alias=alias: model.objects.using(alias))
            with self.subTest(alias):
                if almost:
                    self.assertAlmost(found, expected)
                else:
                    self.assertEqual(found, expected)

    def assertAlmost(self, found, expected):
        if isinstance(expected, (list, tuple)):
            self.assertEqual(len(found), len(expected))
            for one, other in zip(found, expected, strict=True):
                self.assertAlmost(one, other)
        elif isinstance(expected, float):
            self.assertAlmostEqual(found / expected if expected else found, 1 if expected else 0, 9)
        else:
            self.assertEqual(found, expected)

    def test_every_value(self):
        names = [field.attname for field in Item._meta.concrete_fields]
        self.assertSame(lambda on: list(on(Item).values_list(*names)))

    def test_types_of_values(self):
        for alias in BACKENDS:
            for item in Item.objects.using(alias):
                self.assertIn(type(item.real), (float, type(None)))
                self.assertIs(type(item.number), int)
                self.assertIs(type(item.price), Decimal)
                self.assertIs(type(bytes(item.raw)), bytes)

    def test_a_query_inside_the_iterator_of_another(self):
        self.assertSame(
            lambda on: [
                (item.pk, on(Shelf).get(pk=item.shelf_id).name)
                for item in on(Item).iterator(chunk_size=50)
            ]
        )

    def test_long_lists(self):
        keys = list(range(-500, 3000, 3))
        self.assertSame(lambda on: list(on(Item).filter(pk__in=keys).values_list("pk")))
        self.assertSame(lambda on: list(on(Item).exclude(pk__in=keys).values_list("pk")))
        self.assertSame(lambda on: sorted(on(Item).in_bulk(keys)))
        for name in ("text", "key", "price", "day", "moment", "number", "real", "length"):
            values = [getattr(item, name) for item in items(random.Random(20260104))][::3]
            values *= 2
            self.assertSame(
                lambda on, n=name, v=values: list(on(Item).filter(**{f"{n}__in": v}).values("pk"))
            )

    def test_many_conditions(self):
        # Native SQLite's parser does not get further with XOR.
        for connect, count in ((or_, 300), (xor, 30)):
            condition = reduce(connect, (Q(pk=number * 3) for number in range(count)))
            self.assertSame(lambda on, c=condition: list(on(Item).filter(c).values_list("pk")))
            self.assertSame(lambda on, c=condition: list(on(Item).filter(~c).values_list("pk")))
        condition = Q(*(~Q(pk=number * 3) for number in range(300)))
        self.assertSame(lambda on: list(on(Item).filter(condition).values_list("pk")))

    def test_long_patterns(self):
        source = random.Random(5)
        texts = [item.text for item in items(random.Random(20260104))]
        patterns = [text for text in texts if len(text) > 50][: part(40, 40, inside=6)] + [
            "%" * 60,
            "_" * 60,
            "",
            "ALP",
        ]
        for text in patterns:
            middle = text[source.randrange(5) :]
            for lookup in (
                "contains",
                "icontains",
                "startswith",
                "istartswith",
                "endswith",
                "iendswith",
                "iexact",
            ):
                for pattern in (text, middle, text[:-2].upper()):
                    self.assertSame(
                        lambda on, k=f"text__{lookup}", p=pattern: list(
                            on(Item).filter(**{k: p}).values_list("pk", flat=True)
                        )
                    )

    def test_patterns_from_columns(self):
        for lookup in ("contains", "istartswith", "endswith"):
            self.assertSame(
                lambda on, k=f"name__{lookup}": list(
                    on(Shelf)
                    .annotate(tail=functions.Right("name", 70))
                    .filter(**{k: F("tail")})
                    .values_list("pk", flat=True)
                )
            )

    def test_regular_expressions(self):
        for lookup, pattern in (
            ("text__regex", r"^alpha.*(Beta|GAMMA)$"),
            ("text__iregex", r"\bbeta\b"),
            ("text__regex", r"no such"),
            ("number__regex", r"^-?\d{3}$"),
            ("data__b__regex", r"c"),
            ("shelf__name__iregex", r"shelf [12]"),
        ):
            self.assertSame(
                lambda on, k=lookup, p=pattern: list(
                    on(Item).filter(**{k: p}).values_list("pk", flat=True)
                )
            )
            self.assertSame(
                lambda on, k=lookup, p=pattern: list(
                    on(Item).exclude(**{k: p}).values_list("pk", flat=True)
                )
            )
        self.assertSame(
            lambda on: list(on(Shelf).filter(name__regex=F("pattern")).values_list("pk"))
        )
        for alias in BACKENDS:
            with self.assertRaises(OperationalError):
                list(Item.objects.using(alias).filter(text__regex="("))
            with self.assertRaisesRegex(NotSupportedError, "regex"):
                list(Item.objects.using(alias).filter(text__regex=F("shelf__pattern")))

    def test_unions_of_many(self):
        def union(on, method, all=False, count=23):
            first, *others = (
                on(Item).filter(pk__lte=number % 7 * 9).order_by().values_list("pk", flat=True)
                for number in range(1, count)
            )
            combined = getattr(first, method)(*others, **({"all": all} if all else {}))
            return sorted(combined)

        self.assertSame(lambda on: union(on, "union"))
        self.assertSame(lambda on: union(on, "union", all=True))
        self.assertSame(lambda on: union(on, "intersection", count=6))
        self.assertSame(lambda on: union(on, "difference"))
        self.assertSame(
            lambda on: list(
                on(Item)
                .order_by()
                .filter(pk=1)
                .union(*(on(Item).order_by().filter(pk=n) for n in range(2, 12)))
                .order_by("-pk")
                .values_list("pk", "text")[2:7]
            )
        )

    def test_text_functions(self):
        for expression in (
            functions.LPad("text", 20, Value("ab")),
            functions.RPad("text", 7, Value("日")),
            functions.LPad("text", 3),
            functions.Repeat("text", 3),
            functions.Repeat("text", F("shelf_id")),
            functions.Reverse("text"),
            functions.Reverse(functions.Upper("text")),
            functions.StrIndex("text", Value("a")),
            Concat("text", Value("-"), "shelf_id", output_field=models.TextField()),
            Cast("number", models.TextField()),
        ):
            self.assertSame(lambda on, e=expression: list(on(Item).annotate(x=e).values_list("x")))

    def test_math_functions(self):
        real = F("shelf_id") / 7.0
        for name in ("Cot", "Ceil", "Floor", "Sign", "Degrees", "Sqrt", "Exp", "Ln", "Tan"):
            function = getattr(functions, name)
            self.assertSame(
                lambda on, f=function: list(on(Item).annotate(x=f(real)).values_list("x")),
                almost=True,
            )
        for expression in (
            functions.Power("shelf_id", 3),
            functions.Log(2, "shelf_id"),
            functions.Mod("shelf_id", 3),
            F("shelf_id") ** 2,
            F("shelf_id").bitxor(5),
            F("pk").bitand(6),
            F("pk") % 7,
            F("number") + 1,
        ):
            self.assertSame(
                lambda on, e=expression: list(on(Item).annotate(x=e).values_list("x")), almost=True
            )
        for alias in BACKENDS:
            for name in ("MD5", "SHA256"):
                with self.assertRaisesRegex(NotSupportedError, name):
                    list(Item.objects.using(alias).annotate(x=getattr(functions, name)("text")))
            for (value,) in (
                Item.objects.using(alias).annotate(x=functions.Random()).values_list("x")
            ):
                self.assertTrue(0 <= value < 1)

    def test_statistics(self):
        for name in ("pk", "price", "real", "shelf_id"):
            for function in (models.StdDev, models.Variance):
                for sample in (False, True):
                    aggregate = function(name, sample=sample)
                    self.assertSame(
                        lambda on, a=aggregate: on(Item).aggregate(x=a)["x"],
                        almost=True,
                    )
        # Far from zero, where sums of squares have no digits left.
        self.assertSame(
            lambda on: list(
                on(Item)
                .filter(number__gt=2**53)
                .annotate(g=F("pk") % 3)
                .order_by()
                .values("g")
                .annotate(x=models.StdDev("pk", filter=Q(pk__gt=5)))
                .order_by("g")
                .values_list("g", "x")
            ),
            almost=True,
        )
        self.assertSame(lambda on: on(Item).filter(pk=0).aggregate(x=models.StdDev("pk"))["x"])

    def test_dates_of_the_admin(self):
        for kind in ("year", "month", "week", "day"):
            self.assertSame(lambda on, k=kind: list(on(Item).order_by().dates("day", k)))
        for kind in ("year", "month", "week", "day", "hour", "minute"):
            self.assertSame(lambda on, k=kind: list(on(Item).order_by().datetimes("moment", k)))

    def test_dates_and_durations(self):
        shifted = F("moment") + F("length")
        for expression in (
            shifted,
            F("moment") - datetime.timedelta(days=400, microseconds=3),
            F("moment") + F("length") - datetime.timedelta(hours=5) + F("length"),
            F("moment") - Value(datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)),
            functions.ExtractYear(shifted),
            functions.TruncMonth(shifted),
            functions.Coalesce(shifted, F("moment")),
            models.ExpressionWrapper(F("length") * 3, models.DurationField()),
            models.ExpressionWrapper(F("length") / 4, models.DurationField()),
            models.ExpressionWrapper(F("day") + F("length"), models.DateField()),
        ):
            self.assertSame(lambda on, e=expression: list(on(Item).annotate(x=e).values_list("x")))
        self.assertSame(
            lambda on: list(on(Item).filter(moment__gt=F("moment") + F("length")).values("pk"))
        )
        self.assertSame(
            lambda on: list(
                on(Item)
                .annotate(m=functions.TruncMonth("moment"))
                .order_by()
                .values("m")
                .annotate(n=models.Count("pk"), last=models.Max("moment"))
                .order_by("m")
            )
        )
        self.assertSame(
            lambda on: list(
                on(Item)
                .order_by()
                .values("shelf_id")
                .annotate(last=functions.TruncHour(models.Max("moment")))
                .order_by("shelf_id")
                .values_list("shelf_id", "last")
            )
        )

    def test_parts_of_dates_in_conditions(self):
        for lookup, value in (
            ("moment__date", datetime.date(2005, 5, 5)),
            ("moment__date__gt", datetime.date(2005, 5, 5)),
            ("moment__time__lt", datetime.time(12, 30, 1, 5)),
            ("moment__year__lt", 2000),
            ("moment__iso_year", 1999),
            ("moment__week", 53),
            ("moment__week_day", 1),
            ("moment__iso_week_day", 7),
            ("moment__quarter", 3),
            ("moment__hour__gte", 20),
            ("day__month", 2),
        ):
            self.assertSame(
                lambda on, k=lookup, v=value: list(on(Item).filter(**{k: v}).values_list("pk"))
            )

    def test_json(self):
        for lookup, value in (
            ("data__a", 6),
            ("data__a__gt", 300),
            ("data__b__c__1", "x"),
            ("data__b__c__2", None),
            ("data__0", "a"),
            ("data__has_key", "a"),
            ("data__has_any_keys", ["b", "z"]),
            ("data__isnull", True),
            ("data", 2**60),
            ("data", True),
            ("data__a__in", list(range(0, 900, 3))),
            ("data__b__icontains", "C"),
        ):
            self.assertSame(
                lambda on, k=lookup, v=value: list(on(Item).filter(**{k: v}).values_list("pk"))
            )
        self.assertSame(lambda on: list(on(Item).values_list("data__a", "data__b__c", "data__1")))

    def test_windows_and_filters(self):
        self.assertSame(
            lambda on: list(
                on(Item)
                .annotate(
                    row=models.Window(
                        functions.RowNumber(), partition_by="shelf_id", order_by="-price"
                    ),
                    before=models.Window(functions.Lag("text", 2), order_by="pk"),
                    total=models.Window(models.Sum("pk"), partition_by=functions.TruncYear("day")),
                )
                .values_list("pk", "row", "before", "total")
            )
        )
        self.assertSame(
            lambda on: on(Item).aggregate(
                a=models.Count("pk", filter=Q(flag=True)),
                c=models.Avg("length"),
                d=models.Max("number"),
                e=models.Min("moment"),
            )
        )

    def test_many_columns_and_bulk_updates(self):
        def update(on):
            found = list(on(Item))
            for item in found:
                item.text = f"{item.text}!{item.pk}"
                item.real = (item.real or 0) + 0.25
            on(Item).bulk_update(found, ["text", "real"])
            values = list(on(Item).values_list("text", "real"))
            for item in found:
                item.text = item.text.partition("!")[0]
            on(Item).bulk_update(found, ["text"], batch_size=77)
            return values

        self.assertSame(update)

    def test_results_of_many_columns(self):
        values = ('it\'s "1", ?', 1 / 3, 2**60 + 1, b"\0'x"), ("", -1e300, -5, b"")
        names = [f"f{number}" for number in range(60)]
        for alias in ALIASES:
            last = None
            for index in range(2):
                last = Wide.objects.using(alias).create(
                    pk=index + 1,
                    next=last,
                    **{name: values[index][at % 4] for at, name in enumerate(names) if at != 57},
                )

        def read(on):
            found = on(Wide).select_related("next__next").order_by("-f42", "next__f3", "pk")
            return [
                [
                    getattr(wide, name)
                    for wide in (item, item.next)
                    if wide is not None
                    for name in ("pk", *names)
                ]
                for item in found
            ]

        self.assertSame(read)
        self.assertSame(
            lambda on: list(
                on(Wide).values_list(*names, *(f"next__{name}" for name in names)).order_by("pk")
            )
        )

    def test_upserts(self):
        def upsert(on):
            on(Shelf).bulk_create(
                [Shelf(pk=number, name=f"n{number}" * 30) for number in range(1, 400)],
                update_conflicts=True,
                unique_fields=["pk"],
                update_fields=["pattern"],
            )
            on(Shelf).bulk_create([Shelf(pk=1, name="x")], ignore_conflicts=True)
            found = list(on(Shelf).order_by("pk").values_list("pk", "name", "pattern"))
            on(Shelf).filter(pk__gt=5).delete()
            for number in range(1, 6):
                on(Shelf).filter(pk=number).update(pattern=f"^{number}|a.b")
            return found

        self.assertSame(upsert)

    def test_large_ids_come_back(self):
        for alias in BACKENDS:
            start = Shelf.objects.using(alias).create(pk=2**53 + 1, name="large")
            shelves = Shelf.objects.using(alias).bulk_create(Shelf(name="n") for _ in range(3))
            self.assertEqual([shelf.pk for shelf in shelves], [2**53 + n for n in (2, 3, 4)])
            Shelf.objects.using(alias).filter(pk__gte=start.pk).delete()
            for key in (2**63 - 1, -(2**63), 2**53 + 1):
                shelf = Shelf.objects.using(alias).create(pk=key, name="large")
                self.assertEqual(shelf.pk, key)
                self.assertEqual(Shelf.objects.using(alias).get(pk=key).pk, key)
                shelf.delete()

    def test_explain(self):
        for alias in BACKENDS:
            self.assertIn("SEARCH", Item.objects.using(alias).filter(pk=5).explain())

    def test_a_model_of_too_many_columns_is_an_error(self):
        fields = {f"f{number}": models.IntegerField() for number in range(100)}
        model = type(
            "TooWide",
            (models.Model,),
            {**fields, "__module__": __name__, "Meta": type("Meta", (), {"app_label": "queries"})},
        )
        for alias in BACKENDS:
            errors = model.check(databases=[alias])
            self.assertEqual([error.id for error in errors], ["django_on_workers.E001"])
            self.assertEqual(Item._meta.pk.check(databases=[alias]), [])

    @unittest.skipIf(django.VERSION < (6, 1), "new in Django 6.1")
    def test_bits(self):
        for name in ("BitAnd", "BitOr", "BitXor"):
            aggregate = getattr(models, name)
            self.assertSame(
                lambda on, a=aggregate: list(
                    on(Item)
                    .order_by()
                    .values("shelf_id")
                    .annotate(x=a("number"))
                    .order_by("shelf_id")
                    .values_list("shelf_id", "x")
                )
            )

    @unittest.skipIf(django.VERSION < (6, 1), "new in Django 6.1")
    def test_uuids(self):
        for alias in BACKENDS:
            for function, version in ((functions.UUID4, 4), (functions.UUID7, 7)):
                keys = list(
                    Item.objects.using(alias).annotate(x=function()).values_list("x", flat=True)
                )
                self.assertEqual({key.version for key in keys}, {version})
                self.assertEqual({key.variant for key in keys}, {uuid.RFC_4122})
                self.assertEqual(len(set(keys)), len(keys))


if __name__ == "__main__":
    unittest.main()
