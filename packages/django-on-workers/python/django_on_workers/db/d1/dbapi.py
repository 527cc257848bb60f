"""
The DB-API connection of D1, which has no transaction that spans two requests.

Statements can be collected instead, and sent as one ``batch()``, of which all
or none are done (https://developers.cloudflare.com/d1/worker-api/d1-database/#batch).
"""

import hashlib
import json
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

#: How Django's recorder notes that a migration was applied, and that it was reversed.
RECORD = re.compile(
    r'(INSERT INTO "django_migrations" .*?) RETURNING .*|DELETE FROM "django_migrations" .*',
    re.DOTALL,
)

#: What a migration that is sent in parts has done, for the run that continues it.
UNFINISHED = "django_on_workers_unfinished"


def digest(sql: str, params: Sequence) -> str:
    return hashlib.sha256(repr((sql, tuple(params))).encode()).hexdigest()


class Connection(dbapi.Connection):
    """
    A connection that is always in autocommit mode.

    Between ``collect`` and ``send`` the schema editor's statements are kept
    back, until another one needs what they do.
    """

    #: Parameters and results are JSON, which has no infinity: it would become NULL.
    takes_infinity = False

    def __init__(self, driver):
        super().__init__(driver)
        self.collected: list[tuple[str, Sequence]] | None = None
        #: Whether it is the schema editor that executes.
        self.collects_all = False
        #: Digests of the statements that an earlier, unfinished run has sent already.
        self._done: list[str] = []
        #: Whether this run, or the one it continues, has sent a part before the end.
        self._in_parts = False
        #: Writes that referred to rows which are not there yet, when those may still come.
        self.postponed: list[tuple[str, Sequence]] | None = None
        # A statement ends its transaction, so a violation is refused like any other.
        self.declares_deferred = False

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
            if self.collects_all and COLLECTED.match(sql):
                self._collect(sql, params)
                return Result()
            if record := RECORD.match(sql):
                # The recorder's row must be part of the migration; nobody asks for its id.
                self._collect(record[1] or record[0], params)
                return Result(("id",), [(None,)], None, 1, None)
            self.flush()
        try:
            return self.driver.execute(sql, params)
        except DriverError as error:
            translated = dbapi.translate(error)
            if self.postponed is None or not str(translated).startswith("FOREIGN KEY"):
                raise translated from error
            self.postponed.append((sql.rpartition(" RETURNING ")[0] or sql, params))
            return Result(rowcount=1)

    def collect(self) -> None:
        self._done = self._unfinished()
        self._in_parts = bool(self._done)
        self.collected = []

    def _collect(self, sql: str, params: Sequence) -> None:
        if self._done and self._done[0] == digest(sql, params):
            del self._done[0]
        else:
            self.collected.append((sql, params))

    def _unfinished(self) -> list[str]:
        """Return the digests of what an unfinished migration has done."""
        exists = f"SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = '{UNFINISHED}'"
        if not self.cursor().execute(exists).fetchall():
            return []
        rows = self.cursor().execute(f"SELECT digest FROM {UNFINISHED} ORDER BY id").fetchall()
        return [row[0] for row in rows]

    def flush(self) -> None:
        """Send what was collected and note that it is done, and go on collecting."""
        statements, self.collected = self.collected, []
        if not statements:
            return
        digests = json.dumps([digest(sql, params) for sql, params in statements])
        self.batch(
            [
                (f"CREATE TABLE IF NOT EXISTS {UNFINISHED} (id integer PRIMARY KEY, digest)", ()),
                *statements,
                (f"INSERT INTO {UNFINISHED} (digest) SELECT value FROM json_each(?)", (digests,)),
            ]
        )
        self._in_parts = True

    def send(self) -> None:
        """Send what was collected."""
        statements, self.collected = self.collected, None
        if self._in_parts and not self._done:
            statements.append((f"DROP TABLE IF EXISTS {UNFINISHED}", ()))
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
