"""
The DB-API connection of D1, which has no transaction that spans two requests.

Statements can be collected instead, and sent as one ``batch()``, of which all
or none are done (https://developers.cloudflare.com/d1/worker-api/d1-database/#batch).
"""

import re
from collections.abc import Sequence

from django_on_workers.db.sqlite import dbapi
from django_on_workers.db.sqlite.driver import DriverError, Result

#: Ends a batch that would leave rows referring to nothing: JSON that is none is an error.
CHECK = (
    "SELECT CASE WHEN EXISTS (SELECT 1 FROM pragma_foreign_key_check) "
    "THEN json('FOREIGN KEY constraint failed') END"
)
CHECK_REFUSED = "malformed JSON"

COLLECTED = re.compile(
    r"\s*(?:(?:CREATE|DROP|ALTER|INSERT|UPDATE|DELETE|REPLACE)\b|PRAGMA\s+\w+\s*=)", re.IGNORECASE
)
RETURNING = re.compile(r"\bRETURNING\b", re.IGNORECASE)
RECORD = re.compile(r'(INSERT INTO "django_migrations" .*?) RETURNING .*', re.DOTALL)


class Connection(dbapi.Connection):
    """
    A connection that is always in autocommit mode.

    Between ``collect`` and ``send`` statements that only write are kept back,
    until one that reads needs what they do.
    """

    def __init__(self, driver):
        super().__init__(driver)
        self.collected: list[tuple[str, Sequence]] | None = None
        #: Writes that referred to rows which are not there yet, when those may still come.
        self.postponed: list[tuple[str, Sequence]] | None = None

    def begin(self):
        raise dbapi.NotSupportedError(
            "D1 has no transactions: a statement is one by itself, and so is a migration."
        )

    def savepoint(self, name):
        self.begin()

    def defer_constraints(self):
        return False

    def execute(self, sql, params):
        if self.collected is not None:
            if record := RECORD.match(sql):
                # The recorder's row must be part of the migration; nobody asks for its id.
                self.collected.append((record[1], params))
                return Result(("id",), [(None,)], None, 1, None)
            if COLLECTED.match(sql) and not RETURNING.search(sql):
                self.collected.append((sql, params))
                return Result(rowcount=1)
            self.flush()
        try:
            return super().execute(sql, params)
        except dbapi.IntegrityError as error:
            if self.postponed is None or not str(error).startswith("FOREIGN KEY"):
                raise
            self.postponed.append((RETURNING.split(sql)[0], params))
            return Result(rowcount=1)

    def collect(self) -> None:
        self.collected = []

    def flush(self) -> None:
        """Send what was collected, and go on collecting."""
        statements, self.collected = self.collected, []
        self.batch(statements)

    def send(self) -> None:
        """Send what was collected."""
        statements, self.collected = self.collected, None
        self.batch(statements)

    def discard(self) -> None:
        """Forget what was collected."""
        self.collected = None

    def peek(self, sql: str, params: Sequence = ()) -> list[tuple]:
        """Read without sending what was collected."""
        collected, self.collected = self.collected, None
        try:
            return self.cursor().execute(sql, params).fetchall()
        finally:
            self.collected = collected

    def batch(self, statements: list[tuple[str, Sequence]]) -> None:
        """Run statements, all or none, with foreign keys checked at the end."""
        if not statements:
            return
        self._check_open()
        try:
            self.driver.batch([("PRAGMA defer_foreign_keys = ON", ()), *statements, (CHECK, ())])
        except DriverError as error:
            translated = dbapi.translate(error)
            if CHECK_REFUSED in str(translated):
                translated = dbapi.IntegrityError("FOREIGN KEY constraint failed")
            raise translated from error
