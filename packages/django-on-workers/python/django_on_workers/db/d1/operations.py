from django_on_workers.db.sqlite.operations import DatabaseOperations as BaseDatabaseOperations


class DatabaseOperations(BaseDatabaseOperations):
    """As SQLite on Workers has it."""

    def sql_flush(self, style, tables, *, reset_sequences=False, allow_cascade=False):
        # Tests end with this where they would end with a rollback, which takes sequences back too:
        # many a test names rows by the number that its first one has.
        return super().sql_flush(style, tables, reset_sequences=True, allow_cascade=allow_cascade)

    def execute_sql_flush(self, sql_list):
        # One batch, because a table may be emptied before those that refer to it.
        self.connection.execute_all(sql_list)
