"""pbkdf2_hmac without OpenSSL, beside the one with it."""

import hashlib
import unittest

from django_on_workers.runtime.key_derivation import pbkdf2_hmac


class KeyDerivationTests(unittest.TestCase):
    def test_digests_that_python_computes_itself(self):
        for name, iterations, length in (
            ("md5", 1, None),
            ("md5", 50, 45),
            ("sha512", 20, 64),
            ("sha512", 3, 10),
        ):
            with self.subTest(name, iterations=iterations, length=length):
                arguments = name, "pässword".encode(), b"salt" * 40, iterations, length
                self.assertEqual(pbkdf2_hmac(*arguments), hashlib.pbkdf2_hmac(*arguments))

    def test_what_is_refused(self):
        for arguments in (
            ("sha1", b"", b"", 0),
            ("sha1", b"", b"", 1, 0),
            ("no-hash", b"", b"", 1),
        ):
            with self.assertRaises(ValueError):
                pbkdf2_hmac(*arguments)
