import django
from django.utils.functional import cached_property

from django_on_workers.db.sqlite.features import DatabaseFeatures as BaseDatabaseFeatures


class DatabaseFeatures(BaseDatabaseFeatures):
    """As SQLite on Workers has it, without transactions."""

    # https://developers.cloudflare.com/d1/worker-api/d1-database/#batch
    supports_transactions = False
    uses_savepoints = False
    can_release_savepoints = False
    # The schema editor's statements are one batch; Django must not open a transaction for them.
    can_rollback_ddl = False
    # Foreign keys are checked statement by statement.
    can_defer_constraint_checks = False

    @cached_property
    def django_test_skips(self):
        keys = "backends.tests.FkConstraintsTests."
        schema = "schema.tests.SchemaTests."
        stale = "contenttypes_tests.test_management.RemoveStaleContentTypesTests."
        skips = {
            **super().django_test_skips,
            "The statements of a schema editor are sent, and refused, when it ends.": {
                schema + "test_func_index_nondeterministic",
                schema + "test_func_unique_constraint_nondeterministic",
            },
            "Without a transaction there is none to be broken, and none begins.": {
                "basic.tests.SelectOnSaveTests.test_select_on_save_lying_update",
                "backends.sqlite.tests.TestTransactionMode.test_default_transaction_mode",
                "test_runner.tests.SQLiteInMemoryTestDbs.test_transaction_support",
            },
            "Rows that refer to nothing are kept back while checks are disabled, then refused.": {
                keys + "test_check_constraints",
                keys + "test_check_constraints_sql_keywords",
                keys + "test_disable_constraint_checks_context_manager",
                keys + "test_disable_constraint_checks_manually",
                "fixtures_regress.tests.TestFixtures."
                "test_loaddata_raises_error_when_fixture_has_invalid_foreign_key",
                *(
                    f"serializers.test_data.SerializerDataTests.test_{name}_serializer"
                    for name in ("json", "jsonl", "python", "xml")
                ),
            },
            "Leaves rows that refer to nothing, which a test in a transaction never commits.": {
                stale + "test_contenttypes_removed_for_apps_not_in_installed_apps",
                stale + "test_contenttypes_removed_in_installed_apps_without_models",
                stale + "test_interactive_false",
                stale + "test_interactive_true_with_dependent_objects",
                stale + "test_interactive_true_without_dependent_objects",
                stale + "test_unavailable_content_type_model",
                "auth_tests.test_views.UUIDUserTests.test_admin_password_change",
            },
            "Leaves rows where its router lets nothing be flushed; a transaction takes them back.": {
                "multiple_database.tests.AuthTestCase.test_dumpdata",
            },
            "Makes a test database of a test database, for which there is no binding.": {
                "test_runner.test_debug_sql.TestDebugSQL.test_output_verbose",
                "test_runner.test_debug_sql.TestDebugSQL.test_setupclass_exception",
            },
        }
        if django.VERSION < (6, 0):
            skips["There is no transaction to commit or to roll back, and none in the log."] = {
                "migrations.test_executor.ExecutorTests."
                "test_atomic_operation_in_non_atomic_migration",
                "migrations.test_operations.OperationTests.test_run_python_atomic",
                "backends.base.test_base.DatabaseWrapperLoggingTests.test_commit_debug_log",
                "backends.base.test_base.DatabaseWrapperLoggingTests.test_rollback_debug_log",
            }
        return skips
