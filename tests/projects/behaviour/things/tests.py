from django.db import connection
from django.test import TestCase

from .models import Thing


class ThingTests(TestCase):
    def test_alone(self):
        self.assertEqual(Thing.objects.count(), 0)
        Thing.objects.create(name="only here")

    def test_alone_again(self):
        self.assertEqual(Thing.objects.count(), 0)
        Thing.objects.create(name="only here")
        self.assertTrue(connection.vendor)

    def test_view(self):
        response = self.client.get("/status/204/")
        self.assertEqual(response.status_code, 204)
