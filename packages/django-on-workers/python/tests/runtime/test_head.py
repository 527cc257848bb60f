"""The head of a request as JavaScript writes it."""

import unittest

from django_on_workers.runtime.head import parse


class HeadTests(unittest.TestCase):
    def test_parts(self):
        head = parse(
            "POST\nhttps\nexample.com:8443\n203.0.113.7\n/a%20b\nq=1\naccept: a: b\nx-empty: "
        )
        self.assertEqual(head.method, "POST")
        self.assertEqual((head.scheme, head.host), ("https", "example.com:8443"))
        self.assertEqual((head.path, head.query), ("/a%20b", "q=1"))
        self.assertEqual(head.headers, [("accept", "a: b"), ("x-empty", "")])

    def test_without_headers(self):
        self.assertEqual(parse("GET\nhttp\nlocalhost\n::1\n/\n").headers, [])
