"""A Durable Object's storage.

An object has one storage, and only itself can reach it in a transaction. The suite's second database is the same
backend over SQLite in memory, with the limits of Workers set.
"""

from suite_settings import *  # noqa: F403 - as settings are extended

DATABASES = {
    "default": {"ENGINE": "django_on_workers.db.durable_object", "NAME": "storage"},
    "other": {"ENGINE": "tests.db.backends.durable_object", "NAME": "other"},
}
