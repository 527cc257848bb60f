"""Runs a suite and tells the outcome of each test as it comes, as lines of JSON among the other output.

Each line begins with an ASCII record separator (RFC 7464):

``{"found": [id, …]}``
    what will run, after everything that is left out
``{"started": id}``
    a test that has begun; whoever reads knows which test an interpreter died in
``{"test": id, "outcome": …, "reason": …}``
    its outcome: passed, failed, error, skipped, expected_failure or unexpected_success
``{"fixture": id, "outcome": …, "reason": …}``
    a class or module that was skipped as a whole, or whose set-up or tear-down failed
``{"ended": true}``
    the runner has come to its end
"""

import gc
import json
import sys
import time
import traceback
import unittest
from fnmatch import fnmatchcase

from django.conf import settings
from django.core.management import get_commands
from django.core.signals import setting_changed
from django.test import TestCase
from django.test.runner import DiscoverRunner

from . import restoring

__all__ = ["RecordingRunner", "configure", "record"]

SEPARATOR = "\x1e"
#: Characters of a traceback that are kept, from its end.
TAIL = 3000
#: Garbage is collected after so many tests where nothing else collects it.
TESTS_BETWEEN_COLLECTIONS = 25
#: Seconds after which a class of tests is continued in another process: it runs inside one transaction, and a Durable
#: Object lets none become older than half a minute.
CLASS_SECONDS = 15

_output = sys.stdout
_left_out: list[str] = []
_done: set[str] = set()


def configure(output, left_out: list[str], done: list[str]) -> None:
    """Say where records go, which tests are left out (patterns of ids), and which have an outcome already."""
    global _output
    _output = output
    _left_out[:] = left_out
    _done.clear()
    _done.update(done)


def record(**values) -> None:
    _output.write(f"{SEPARATOR}{json.dumps(values)}\n")
    _output.flush()


class RecordingResult(unittest.TextTestResult):
    """Writes a record when a test begins and one with its outcome when it ends."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._outcome: tuple[str, str] | None = None
        self._class: type | None = None
        self._class_began = self._last_ended = time.monotonic()

    def startTest(self, test):
        super().startTest(test)
        self._outcome = None
        if type(test) is not self._class:
            # Its set-up came before.
            self._class, self._class_began = type(test), self._last_ended
        record(started=test.id())

    def stopTest(self, test):
        outcome, reason = self._outcome or ("passed", "")
        record(test=test.id(), outcome=outcome, reason=reason)
        super().stopTest(test)
        # Lets records leave the process, and a Worker's clock go on.
        time.sleep(0.001)
        self._last_ended = time.monotonic()
        age = self._last_ended - self._class_began
        in_transaction = isinstance(test, TestCase) and test._databases_support_transactions()
        if sys.platform == "emscripten" and in_transaction and age > CLASS_SECONDS:
            raise SystemExit("This class is continued in another process.")
        # CPython's own collector is off inside workerd. Between two tests no stack is suspended.
        if not gc.isenabled() and self.testsRun % TESTS_BETWEEN_COLLECTIONS == 0:
            gc.collect()

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            failed = issubclass(err[0], test.failureException)
            self._note(test, "failed" if failed else "error", f"{subtest}\n{_tail(err)}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note(test, "failed", _tail(err))

    def addError(self, test, err):
        super().addError(test, err)
        self._note(test, "error", _tail(err))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self._note(test, "expected_failure", "")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._note(test, "unexpected_success", "")

    def _note(self, test, outcome, reason):
        if not isinstance(test, unittest.TestCase) and not hasattr(test, "test_case"):
            record(fixture=test.id(), outcome=outcome, reason=reason)
        elif self._outcome is None or self._outcome[0] == "skipped":
            # What failed first counts; a skipped part of a test does not hide that another one failed.
            self._outcome = outcome, reason


def _tail(err) -> str:
    return "".join(traceback.format_exception(*err))[-TAIL:]


class RecordingRunner(DiscoverRunner):
    """Django's own runner, with outcomes recorded."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # runtests.py has set these without a word, and an image holds what was made with the ones before.
        for name in ("TEMPLATES", "ROOT_URLCONF", "LANGUAGE_CODE", "STATIC_URL", "STATIC_ROOT"):
            setting_changed.send(
                sender=self.__class__, setting=name, value=getattr(settings, name), enter=True
            )
        get_commands.cache_clear()
        restoring.install()

    def get_resultclass(self):
        return RecordingResult

    def build_suite(self, *args, **kwargs):
        suite = super().build_suite(*args, **kwargs)
        tests = [test for test in _tests(suite) if not _is_left_out(test.id())]
        record(found=[test.id() for test in tests])
        return type(suite)(test for test in tests if test.id() not in _done)


def _tests(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _tests(test)
        else:
            yield test


def _is_left_out(test_id: str) -> bool:
    return any(fnmatchcase(test_id, pattern) for pattern in _left_out)
