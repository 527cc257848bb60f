"""Each adaptation notices when what it adapts has changed its shape."""

import logging.config
import threading
import time
import unittest
from unittest import mock

import django.utils.asyncio
from asgiref import sync

from django_on_workers.runtime.adaptations import ADAPTATIONS

CHECKS = {adaptation.name: adaptation.check for adaptation in ADAPTATIONS}
#: Not of this Python: the runtime's own tests apply them.
ELSEWHERE = {
    "hashlib.pbkdf2_hmac, hashlib.scrypt",
    "pyodide.webloop.scheduleCallback",
    "time.tzset",
    "threading.local, threading.get_ident",
    "threading.Lock, threading.RLock, queue.SimpleQueue, importlib's locks",
    "concurrent.futures.ThreadPoolExecutor",
}


class AdaptationTests(unittest.TestCase):
    def test_what_is_installed_fits(self):
        for name, check in CHECKS.items():
            if name not in ELSEWHERE:
                with self.subTest(name):
                    self.assertEqual(check(), [])

    def assertNoticed(self, name, patch):
        with patch:
            self.assertNotEqual(CHECKS[name](), [])

    def test_other_parameters(self):
        async def call(self, function, *args):
            pass

        for name, cls in (
            ("asgiref.sync.SyncToAsync", sync.SyncToAsync),
            ("asgiref.sync.AsyncToSync", sync.AsyncToSync),
        ):
            with self.subTest(name):
                self.assertNoticed(name, mock.patch.object(cls, "__call__", call))

    def test_no_coroutine_any_more(self):
        def call(self, *args, **kwargs):
            pass

        patch = mock.patch.object(sync.SyncToAsync, "__call__", call)
        self.assertNoticed("asgiref.sync.SyncToAsync", patch)

    def test_a_switch_that_is_gone(self):
        def async_unsafe(message):
            return lambda function: function

        patch = mock.patch.object(django.utils.asyncio, "async_unsafe", async_unsafe)
        self.assertNoticed("django.utils.asyncio.async_unsafe", patch)

    def test_other_arguments_of_a_handler(self):
        patch = mock.patch.object(logging.StreamHandler, "emit", lambda self: None)
        self.assertNoticed("logging.StreamHandler.emit", patch)

    def test_a_configuration_that_is_done_elsewhere(self):
        patch = mock.patch.object(logging.config, "dictConfig", lambda config: None)
        self.assertNoticed("logging.config.dictConfig, logging.config.fileConfig", patch)

    def test_names_that_are_gone(self):
        for name, module, attribute in (
            ("threading.local, threading.get_ident", threading, "get_ident"),
            ("time.sleep", time, "sleep"),
        ):
            with self.subTest(name):
                found = getattr(module, attribute)
                try:
                    delattr(module, attribute)
                    problems = CHECKS[name]()
                finally:
                    setattr(module, attribute, found)
                self.assertNotEqual(problems, [])
