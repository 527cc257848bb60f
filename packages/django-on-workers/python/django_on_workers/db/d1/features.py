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
