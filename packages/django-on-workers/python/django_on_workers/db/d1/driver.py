"""The driver for D1."""

from django_on_workers.db.sqlite.driver import Driver


def connect(settings_dict: dict) -> Driver:
    """Return an open driver for the database that these settings name."""
    raise NotImplementedError
