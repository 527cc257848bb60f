from django_on_workers.db.sqlite.operations import DatabaseOperations as BaseDatabaseOperations


class DatabaseOperations(BaseDatabaseOperations):
    """As SQLite on Workers has it."""

    def execute_sql_flush(self, sql_list):
        # One batch, because a table may be emptied before those that refer to it.
        self.connection.execute_all(sql_list)
