"""Tests of classes that take long: their transaction begins anew. `renewed_after` makes it so after each test."""

import datetime
from decimal import Decimal
from unittest import mock

from django.db import connections, transaction
from django.test import TestCase

from django_on_workers.db.durable_object.renewal import renew
from library.models import Author, Book, Tag


class LongTests(TestCase):
    @classmethod
    def setUpClass(cls):
        wrapper = connections["default"]
        cls.enterClassContext(mock.patch.object(wrapper, "renewed_after", -1))
        cls.renewed = cls.enterClassContext(
            mock.patch(f"{type(wrapper).__module__}.renew", wraps=renew)
        )
        super().setUpClass()

    @classmethod
    def setUpTestData(cls):
        with transaction.atomic():
            cls.ada = Author.objects.create(
                full_name="Ada 'the\nfirst' 🐍", born=datetime.date(1815, 12, 10)
            )
        cls.book = Book.objects.create(
            title="Notes",
            author=cls.ada,
            price=Decimal("1234.50"),
            details={"pages": [1, 2.5, None]},
        )
        cls.book.tags.add(*(Tag.objects.create(word=word) for word in ("engine", "numbers")))

    def check(self):
        # What a test writes is gone with the test, and the class's own data are there.
        self.assertEqual(self.renewed.call_count, 1 + self.ran)
        type(self).ran += 1
        book = Book.objects.select_related("author").get()
        self.assertEqual(
            (book.pk, book.title, book.price, book.details, book.author, book.author.born),
            (
                self.book.pk,
                "Notes",
                Decimal("1234.50"),
                {"pages": [1, 2.5, None]},
                self.ada,
                self.ada.born,
            ),
        )
        self.assertEqual(sorted(book.tags.values_list("word", flat=True)), ["engine", "numbers"])
        self.assertEqual(Author.objects.create(full_name="Of a test").pk, self.ada.pk + 1)
        book.delete()
        with self.assertRaises(ZeroDivisionError), transaction.atomic():
            Author.objects.all().delete()
            1 / 0  # noqa: B018
        self.assertEqual(Author.objects.count(), 2)

    ran = 0

    def test_1(self):
        self.check()

    def test_2(self):
        self.check()

    def test_3(self):
        self.check()


class ThenTests(TestCase):
    def test_nothing_is_left(self):
        self.assertEqual([model.objects.count() for model in (Author, Book, Tag)], [0, 0, 0])
