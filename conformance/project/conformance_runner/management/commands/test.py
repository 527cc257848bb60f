"""``manage test`` as Django's own ``tests/runtests.py`` runs its suite, with a record of each outcome."""

import json
import os
import sys
import tempfile
from pathlib import Path

from django.core.management.base import BaseCommand

from conformance_runner import recording


class Command(BaseCommand):
    help = "Runs tests of Django's suite and tells the outcome of each, see recording.py."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("labels", nargs="+")
        parser.add_argument(
            "--left-out", default="[]", help="JSON: patterns of tests that are not run"
        )
        parser.add_argument("--done", default="[]", help="JSON: tests that have an outcome already")
        parser.add_argument(
            "--stock-sqlite", action="store_true", help="run on django.db.backends.sqlite3"
        )

    def handle(self, *, labels, left_out, done, stock_sqlite, **options):
        recording.configure(sys.stdout, json.loads(left_out), json.loads(done))
        if stock_sqlite:
            use_stock_sqlite()
        # As runtests.py does when it is the main program.
        tempfile.tempdir = os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="django_")
        import runtests

        restore_held_back(Path(runtests.RUNTESTS_DIR))
        runtests.django_tests(
            verbosity=0,
            interactive=False,
            failfast=False,
            keepdb=False,
            reverse=False,
            test_labels=labels,
            debug_sql=False,
            parallel=1,
            tags=None,
            exclude_tags=None,
            test_name_patterns=None,
            start_at=None,
            start_after=None,
            pdb=False,
            buffer=False,
            timing=False,
            shuffle=False,
        )
        recording.record(ended=True)


def restore_held_back(folder):
    """Name the files again that a build would have refused, see suite.ts."""
    for path in ("test_runner_apps/tagged", "i18n/commands/locale/ja/LC_MESSAGES"):
        for held in (folder / path).glob("*.held-back"):
            held.rename(held.with_suffix(""))


def use_stock_sqlite():
    """Take Django's own backend after all, where the settings' databases were bound to the Worker's."""
    from django.conf import settings
    from django.db import connections

    settings.DATABASES = {
        alias: {"ENGINE": "django.db.backends.sqlite3"} for alias in ("default", "other")
    }
    for connection in connections.all(initialized_only=True):
        del connections[connection.alias]
    connections._settings = None
    connections.__dict__.pop("settings", None)
