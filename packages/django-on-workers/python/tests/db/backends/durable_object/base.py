import sqlite3

from django.utils.functional import cached_property

from django_on_workers.db.durable_object import base, features
from tests.db.limited_sqlite import LimitedDriver


class DatabaseFeatures(features.DatabaseFeatures):
    # The SQLite of some machines that run these tests is older than that of Workers.
    supports_aggregate_order_by_clause = sqlite3.sqlite_version_info >= (3, 44)

    @cached_property
    def django_test_skips(self):
        skips = super().django_test_skips
        if sqlite3.sqlite_version_info < (3, 47):
            skips["This machine's SQLite does not parse escaped quotes in a JSON path."] = {
                "model_fields.test_jsonfield.TestQuerying.test_lookups_special_chars_double_quotes"
            }
        return skips


class DatabaseWrapper(base.DatabaseWrapper):
    """The backend over this machine's SQLite."""

    features_class = DatabaseFeatures

    def get_database_version(self):
        return sqlite3.sqlite_version_info

    def open_driver(self, settings_dict):
        return LimitedDriver(settings_dict["NAME"])
