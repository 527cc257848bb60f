"""
A Django project in one module: native SQLite beside the two backends.

On this machine the backends run over limited SQLite. Inside the runtime, where the tests
are those of a project that `manage test` runs, there is one backend over the real database,
and native SQLite is Pyodide's.
"""

import os
import sys
import unittest
import warnings

import django
from django.conf import settings
from django.db import connections

INSIDE = sys.platform == "emscripten"
NATIVE = "native"
BACKENDS = ("default",) if INSIDE else ("durable_object", "d1")
ALIASES = (NATIVE, *BACKENDS)

#: Whether properties are tried at full length, as `npm run torture` does, or a part of it.
FULL = os.environ.get("TORTURE") == "1"

SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}


def setup():
    """Configure Django, once a process."""
    if INSIDE:
        # Not in the settings, where the engine would mean the bound database.
        if NATIVE not in connections.settings:
            databases = connections.configure_settings({"default": {}, NATIVE: dict(SQLITE)})
            connections.settings[NATIVE] = databases[NATIVE]
    elif not settings.configured:
        settings.configure(
            DATABASES={
                "default": dict(SQLITE),
                NATIVE: dict(SQLITE),
                "durable_object": {
                    "ENGINE": "tests.db.backends.durable_object",
                    "NAME": "project-durable-object",
                },
                "d1": {
                    "ENGINE": "tests.db.backends.d1",
                    "NAME": "project-d1",
                    "OPTIONS": {"atomic": "ignore"},
                },
            },
            INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
            USE_TZ=True,
            SECRET_KEY="tests",
        )
        warnings.simplefilter("default")
        django.setup()


def is_d1(alias: str) -> bool:
    """Return whether a database is D1, which has no transactions and speaks JSON."""
    return not connections[alias].features.supports_transactions


def part(full: int, some: int, inside: int | None = None) -> int:
    """Return how many cases of a property are tried: all, or some, and fewer inside the runtime."""
    if FULL:
        return full
    return some if inside is None or not INSIDE else inside


def report(name: str, **counts) -> None:
    """Say what a property was tried on, for the record of a full run."""
    if FULL:
        print(f"tried {name}:", ", ".join(f"{key} {value}" for key, value in counts.items()))


def create_tables(*models) -> None:
    """Make tables for `models` on every database."""
    for alias in ALIASES:
        with connections[alias].schema_editor() as editor:
            for model in models:
                editor.create_model(model)


def delete_tables(*models) -> None:
    """Undo :func:`create_tables`."""
    for alias in ALIASES:
        with connections[alias].schema_editor() as editor:
            for model in reversed(models):
                editor.delete_model(model)


class TestCase(unittest.TestCase):
    """A test that makes its own tables, in the test database."""

    maxDiff = 2000
    #: Django's runner gives a test database to tests that name it.
    databases = frozenset({"default"})
