"""A Django project in one module: native SQLite beside the two backends over limited SQLite."""

import warnings

import django
from django.conf import settings

ALIASES = ("native", "durable_object", "d1")
BACKENDS = ("durable_object", "d1")


def setup():
    """Configure Django, once a process."""
    if not settings.configured:
        settings.configure(
            DATABASES={
                "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
                "native": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"},
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
