"""Django's own SQLite backend: the control."""

from suite_settings import *  # noqa: F403 - as settings are extended

DATABASES = {alias: {"ENGINE": "django.db.backends.sqlite3"} for alias in ("default", "other")}
