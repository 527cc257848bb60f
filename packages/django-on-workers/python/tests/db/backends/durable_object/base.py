import sqlite3

from django_on_workers.db.durable_object import base, features
from tests.db.limited_sqlite import LimitedDriver


class DatabaseFeatures(features.DatabaseFeatures):
    # Newer than the SQLite of some machines that run these tests.
    supports_aggregate_order_by_clause = sqlite3.sqlite_version_info >= (3, 44)


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend over this machine's SQLite."""

    features_class = DatabaseFeatures

    def open_driver(self, settings_dict):
        return LimitedDriver(settings_dict["NAME"])
