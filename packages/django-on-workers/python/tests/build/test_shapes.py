"""What an image may show of a value: its shape, and none of its letters."""

import unittest

from django_on_workers.build.placeholders import Placeholders
from django_on_workers.build.shapes import candidates, shape_of


class ShapeTests(unittest.TestCase):
    def test_words_that_tell_nothing_are_their_own(self):
        for value in (
            "",
            "0",
            "True",
            "off",
            "DEBUG",
            "warning",
            "django.db.backends.postgresql",
            "locmemcache://",
            "Europe/Berlin",
            "UTC",
            "en-us",
            "pt-BR",
            "true,no",
        ):
            with self.subTest(value):
                self.assertEqual(shape_of(value), value)

    def test_others(self):
        for value, shape in (
            ("a word", "{text}"),
            ("djangoproject.com", "{text}"),
            ("Europe", "{text}"),
            ("/etc/passwd", "{text}"),
            ("../UTC", "{text}"),
            ("a\0b", "{text}"),
            ("x" * 10_000, "{text}"),
            ("7", "{number}"),
            ("-12345678901234567890", "-{number}"),
            ("0.25", "0.{number}"),
            ("12.5", "{number}.{number}"),
            ("1.2.3", "{text}"),
            ("12,13", "{number},{number}"),
            ("12, secret", "{text}"),
            ("{number}", "{text}"),
            ("https://example.com", "https://{host}"),
            ("HTTPS://example.com/", "https://{host}/"),
            ("https://key@o12.example.com/45", "https://{text}@{host}/{number}"),
            (
                "postgres://name:word@example.com:5432/site?sslmode=require&timeout=20",
                "postgres://{text}:{text}@{host}:{number}/{text}?sslmode={text}&timeout={number}",
            ),
            ("redis://:word@[::1]:6379/0", "redis://:{text}@{host}:{number}/0"),
            ("redis://name:@example.com/1#part", "redis://{text}:@{host}/1#{text}"),
            ("sqlite:////srv/db.sqlite3", "sqlite:////{text}/{text}"),
            ("https://example.com?token", "https://{host}?{text}"),
            ("https://a.example,https://b.example", "https://{host},https://{host}"),
            ("redis://a:1,b:2", "{text}"),
            ("redis://a:port", "{text}"),
            ("mailto:name@example.com", "{text}"),
            ("https://[", "{text}"),
        ):
            with self.subTest(value):
                self.assertEqual(shape_of(value), shape)

    def test_values_of_a_shape_have_that_shape(self):
        for shape in (
            "{text}",
            "-{number}",
            "0.{number}",
            "{number}.{number}",
            "{number},{number}",
            "postgres://{text}:{text}@{host}:{number}/{text}?timeout={number}",
        ):
            with self.subTest(shape):
                values = [Placeholders(kind).of_variable("NAME", shape) for kind in (0, 1)]
                self.assertEqual([shape_of(value) for value in values], [shape, shape])
                self.assertEqual(*map(len, values))
                self.assertNotEqual(*values)

    def test_what_else_a_value_could_be(self):
        fill = Placeholders(0).of_variable

        def others(shape):
            return candidates(shape, lambda field: fill("NAME", field))

        self.assertEqual(others("TRUE"), ["FALSE"])
        self.assertEqual(others("error"), ["debug"])
        self.assertEqual([shape_of(value) for value in others("0.{number}")], ["0.{number}"])
        for shape in (None, "", "locmemcache://"):
            shapes = [shape_of(value) for value in others(shape)]
            self.assertEqual(shapes, ["{text}", "{number}", "https://{host}"])
