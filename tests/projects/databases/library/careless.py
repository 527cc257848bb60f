"""Tests that do not say that they need a database, and so are given none of their own."""

import unittest

from library.models import Loan, Tag


class CarelessTests(unittest.TestCase):
    def test_writing(self):
        Tag.objects.create(word="careless")

    def test_deleting(self):
        Loan.objects.all().delete()
