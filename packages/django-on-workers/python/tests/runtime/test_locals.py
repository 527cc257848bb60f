"""The stand-ins for threading.local and threading.get_ident, beside the originals."""

import threading
import unittest
from contextvars import Context

from django_on_workers.runtime import locals


def scope(function):
    """Calls the function as a request of its own."""

    def run():
        locals.begin()
        return function()

    return Context().run(run)


class Counter(locals.local):
    kind = "class"

    def __init__(self, start=0):
        self.count = start

    @property
    def double(self):
        return 2 * self.count

    @double.setter
    def double(self, value):
        self.count = value // 2


class LocalTests(unittest.TestCase):
    def test_each_scope_has_its_own(self):
        data = locals.local()
        scope(lambda: setattr(data, "name", "first"))
        self.assertFalse(scope(lambda: hasattr(data, "name")))
        self.assertEqual(scope(lambda: data.__dict__), {})

    def test_initialised_anew_in_each_scope(self):
        counter = Counter(5)
        scope(lambda: setattr(counter, "count", 9))
        self.assertEqual(scope(lambda: counter.count), 5)
        self.assertEqual(scope(lambda: counter.double), 10)

        def doubled():
            counter.double = 40
            return counter.__dict__

        self.assertEqual(scope(doubled), {"count": 20})
        self.assertEqual(counter.kind, "class")

    def test_errors_are_the_originals(self):
        for cls in (threading.local, locals.local):
            data = cls()
            for expected, act in (
                (AttributeError, lambda data=data: data.missing),
                (AttributeError, lambda data=data: delattr(data, "missing")),
                (AttributeError, lambda data=data: setattr(data, "__dict__", {})),
                (TypeError, lambda cls=cls: cls(1)),
            ):
                with self.assertRaises(expected):
                    act()
            self.assertIsInstance(data, cls)


class IdentTests(unittest.TestCase):
    def test_the_first_scope_is_the_main_thread_and_others_beside_it_are_not(self):
        main = threading.main_thread().ident
        self.assertEqual(locals.ident(), main)
        self.assertEqual(scope(lambda: [locals.ident(), scope(locals.ident)]), [main, main + 1])

    def test_numbers_of_scopes_that_are_over_are_used_again(self):
        def nested(depth):
            return {locals.ident()} | (scope(lambda: nested(depth - 1)) if depth else set())

        found = scope(lambda: nested(5))
        self.assertEqual(len(found), 6)
        self.assertEqual(scope(lambda: nested(5)), found)
