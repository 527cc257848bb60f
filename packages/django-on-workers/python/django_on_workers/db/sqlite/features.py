"""
What SQLite on Workers can do.

Each False and each skipped test of Django's suite has its reason.
"""

from django.db.backends.sqlite3.features import DatabaseFeatures as SQLiteDatabaseFeatures
from django.utils.functional import cached_property


class DatabaseFeatures(SQLiteDatabaseFeatures):
    # Statements with more than 100 parameters are sent with literals or JSON,
    # see statements.py; this keeps them well under 100 KB.
    max_query_params = 1000
    supports_aggregate_order_by_clause = True
    supports_json_field = True
    can_introspect_json_field = True
    has_json_object_function = True
    supports_uuid4_function = True
    supports_uuid4_function_in_default = True
    supports_uuid7_function = True

    django_test_expected_failures = set()

    @cached_property
    def django_test_skips(self):
        skips = {
            "SQLite naively remakes the table on field alteration.": {
                "schema.tests.SchemaTests.test_unique_no_unnecessary_fk_drops",
                "schema.tests.SchemaTests.test_unique_and_reverse_m2m",
                "schema.tests.SchemaTests.test_alter_field_default_doesnt_perform_queries",
                "schema.tests.SchemaTests.test_rename_column_renames_deferred_sql_references",
            },
            "SQLite stores values rounded to 15 significant digits.": {
                "model_fields.test_decimalfield.DecimalFieldTests."
                "test_fetch_from_db_without_float_rounding",
            },
            "SQLite doesn't support negative precision for ROUND().": {
                "db_functions.math.test_round.RoundTests.test_null_with_negative_precision",
                "db_functions.math.test_round.RoundTests.test_decimal_with_negative_precision",
                "db_functions.math.test_round.RoundTests.test_float_with_negative_precision",
                "db_functions.math.test_round.RoundTests.test_integer_with_negative_precision",
            },
            "The actual query cannot be determined on SQLite": {
                "backends.base.test_base.ExecuteWrapperTests.test_wrapper_debug",
            },
            "Only connections to in-memory SQLite databases are passed to the server thread.": {
                "servers.tests.LiveServerInMemoryDatabaseLockTest.test_in_memory_database_lock",
            },
        }
        return skips
