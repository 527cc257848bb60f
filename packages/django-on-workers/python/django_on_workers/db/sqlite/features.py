"""
What SQLite on Workers can do.

Each False and each skipped test of Django's suite has its reason.
"""

import django
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
    # A Worker is one process.
    can_clone_databases = False
    supports_uuid4_function = True
    supports_uuid4_function_in_default = True
    supports_uuid7_function = True

    django_test_expected_failures = {
        # A date plus a duration is a date, and is compared as text, as in Django's backend.
        "expressions.tests.FTimeDeltaTests.test_mixed_comparisons1",
    }

    @cached_property
    def django_test_skips(self):
        hashes = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
        dates = "db_functions.datetime.test_extract_trunc."
        sqlite = "backends.sqlite."
        schema = "schema.tests.SchemaTests."
        rounds = "db_functions.math.test_round.RoundTests."
        skips = {
            "SQLite stores values rounded to 15 significant digits.": {
                "model_fields.test_decimalfield.DecimalFieldTests."
                "test_fetch_from_db_without_float_rounding",
            },
            "SQLite naively remakes the table on field alteration.": {
                schema + "test_unique_no_unnecessary_fk_drops",
                schema + "test_unique_and_reverse_m2m",
                schema + "test_alter_field_default_doesnt_perform_queries",
                schema + "test_rename_column_renames_deferred_sql_references",
            },
            "SQLite doesn't support negative precision for ROUND().": {
                rounds + "test_null_with_negative_precision",
                rounds + "test_decimal_with_negative_precision",
                rounds + "test_float_with_negative_precision",
                rounds + "test_integer_with_negative_precision",
            },
            "The actual query cannot be determined on SQLite": {
                "backends.base.test_base.ExecuteWrapperTests.test_wrapper_debug",
            },
            "Only connections to in-memory SQLite databases are passed to the server thread.": {
                "servers.tests.LiveServerInMemoryDatabaseLockTest.test_in_memory_database_lock",
            },
            "SQLite on Workers has no hash functions.": {
                f"db_functions.text.test_{name}.{name.upper()}Tests.{test}"
                for name in hashes
                for test in ("test_basic", "test_transform")
            },
            "Raw cursors give dates as text: the types of columns are not known.": {
                schema + "test_add_datefield_and_datetimefield_use_effective_default",
                "timezones.tests.LegacyDatabaseTests.test_cursor_execute_returns_naive_datetime",
                "timezones.tests.NewDatabaseTests.test_cursor_execute_returns_naive_datetime",
            },
            "Counts a function named extract in the SQL, which is none here.": {
                f"{dates}{case}.test_extract_year_{test}_lookup"
                for case in ("DateFunctionTests", "DateFunctionWithTimeZoneTests")
                for test in ("exact", "greaterthan", "lessthan")
            },
            "Raw SQL can't use regular expressions: there is no REGEXP, and none can be added.": {
                sqlite + "tests.Tests.test_regexp_function",
            },
            "There is one kind of transaction.": {
                sqlite + "tests.TestTransactionMode.test_valid_transaction_modes",
                sqlite + "tests.TestTransactionMode.test_invalid_transaction_mode",
            },
            "The schema editor works with foreign keys checked, in a transaction too.": {
                sqlite + "tests.SchemaTests.test_disable_constraint_checking_failure_disallowed",
                sqlite + "tests.SchemaTests.test_constraint_checks_disabled_atomic_allowed",
            },
            "Test databases are neither files nor in memory.": {
                sqlite + "test_creation.TestDbSignatureTests.test_custom_test_name",
                sqlite + "test_creation.TestDbSignatureTests.test_get_test_db_clone_settings_name",
                sqlite + "test_creation.TestDbSignatureTests."
                "test_get_test_db_clone_settings_not_supported",
            },
            "JSON is always there, and not asked for.": {
                sqlite + "test_features.FeaturesTests.test_supports_json_field_operational_error",
            },
            "There is no shell.": {
                "dbshell.tests.DbshellCommandTestCase.test_command_missing",
                "dbshell.test_sqlite.SqliteDbshellCommandTestCase."
                "test_non_zero_exit_status_when_path_to_db_is_path",
            },
        }
        if django.VERSION >= (6, 1):
            skips["The limits of the connection can't be asked for."] = {
                sqlite + "tests.LastExecutedQueryTest."
                "test_parameter_count_exceeds_variable_or_column_limit",
                sqlite + "test_features.FeaturesTests."
                "test_max_query_params_respects_variable_limit",
                sqlite + "test_operations.SQLiteOperationsTests."
                "test_bulk_batch_size_respects_variable_limit",
            }
            skips["Test databases are neither files nor in memory."].add(
                sqlite + "test_creation.TestDbSignatureTests."
                "test_setup_worker_connection_respects_test_database_name"
            )
        if django.VERSION < (6, 0):
            skips["Batches are as large as statements of this backend can be."] = {
                sqlite + "test_operations.SQLiteOperationsTests.test_bulk_batch_size",
            }
        return skips
