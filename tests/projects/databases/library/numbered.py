"""Tests that name rows by their numbers, as many do: each finds the database as the first one did."""

from django.test import TestCase

from library.models import Author


class NumberedTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        Author.objects.create(full_name="Of the class")

    def check(self):
        self.assertEqual(Author.objects.get(pk=1).full_name, "Of the class")
        self.assertEqual(Author.objects.create(full_name="Of a test").pk, 2)

    def test_first(self):
        self.check()

    def test_second(self):
        self.check()


class OtherNumberedTests(NumberedTests):
    pass
