"""
DB-API 2.0 over a driver (https://peps.python.org/pep-0249/).

Takes Django's "format" and "pyformat" placeholders. ``BEGIN``, ``SAVEPOINT``
and their like, which the platform refuses as SQL, become calls of the driver.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice

from .driver import Driver, DriverError, More, Result
from .pragmas import without_effect
from .statements import (
    InfiniteParameter,
    SeveralStatements,
    UnsupportedParameter,
    only_statement,
    prepare,
)

apilevel = "2.0"
threadsafety = 1
paramstyle = "format"

# The platform forbids sqlite_version(); every feature of this version is there.
sqlite_version_info = (3, 47, 0)
sqlite_version = "3.47.0"

Binary = bytes
Date = datetime.date
Time = datetime.time
Timestamp = datetime.datetime
DateFromTicks = datetime.date.fromtimestamp
TimestampFromTicks = datetime.datetime.fromtimestamp


class Warning(Exception):
    pass


class Error(Exception):
    """A refusal of the database; ``sqlite_errorname`` is SQLite's name for it, if it gave one."""

    sqlite_errorname: str | None = None


class InterfaceError(Error):
    pass


class DatabaseError(Error):
    pass


class DataError(DatabaseError):
    pass


class OperationalError(DatabaseError):
    pass


class IntegrityError(DatabaseError):
    pass


class InternalError(DatabaseError):
    pass


class ProgrammingError(DatabaseError):
    pass


class NotSupportedError(DatabaseError):
    pass


# As CPython's sqlite3 maps result codes (Modules/_sqlite/util.c); what is not
# here is an OperationalError.
ERROR_CLASSES = {
    "SQLITE_CONSTRAINT": IntegrityError,
    "SQLITE_MISMATCH": IntegrityError,
    "SQLITE_TOOBIG": DataError,
    "SQLITE_MISUSE": InterfaceError,
    "SQLITE_RANGE": InterfaceError,
    "SQLITE_INTERNAL": InternalError,
    "SQLITE_NOTFOUND": InternalError,
    "SQLITE_CORRUPT": DatabaseError,
    "SQLITE_AUTH": DatabaseError,
}

MESSAGE = re.compile(
    r"""
    ^ (?:Error:[ ]|D1_(?:EXEC_|COLUMN_|TYPE_)?ERROR:[ ])*
    (?P<message> .*? )
    (?:[ ]at[ ]offset[ ]\d+)?
    (?: :[ ](?P<code>SQLITE_[A-Z]+) (?:[ ]\(extended:[ ](?P<extended>\w+)\))? )?
    $
    """,
    re.VERBOSE | re.DOTALL,
)


def translate(error: DriverError) -> Error:
    """Return the error that Python's sqlite3 would have raised, with SQLite's own message."""
    match = MESSAGE.match(str(error))
    message, code = match["message"], match["code"]
    if code is None and message.startswith("Wrong number of parameter bindings"):
        cls = ProgrammingError
    elif code is None and "constraint failed" in message:
        cls = IntegrityError
    else:
        cls = ERROR_CLASSES.get(code, OperationalError)
    translated = cls(message)
    translated.sqlite_errorname = match["extended"] or code
    return translated


TRANSACTION_CONTROL = re.compile(
    r"""
    \s* (?:
        (?P<begin> BEGIN (?:\s+(?:DEFERRED|IMMEDIATE|EXCLUSIVE))? (?:\s+TRANSACTION)? )
      | (?P<commit> (?:COMMIT|END) (?:\s+TRANSACTION)? )
      | SAVEPOINT \s+ (?P<savepoint> .+? )
      | RELEASE (?:\s+SAVEPOINT)? \s+ (?P<release> .+? )
      | ROLLBACK (?:\s+TRANSACTION)? \s+ TO (?:\s+SAVEPOINT)? \s+ (?P<rollback_to> .+? )
      | (?P<rollback> ROLLBACK (?:\s+TRANSACTION)? )
    ) \s* ;? \s* $
    """,
    re.VERBOSE | re.IGNORECASE,
)
#: What those begin with, and pragmas.
CONTROL_INITIALS = frozenset("BbCcEePpSsRr \t\n")

#: Finds tables with foreign keys that SQLite checks when a transaction ends, and not before.
DEFERRED_KEYS = (
    "SELECT 1 FROM sqlite_master WHERE type = 'table' AND sql LIKE '%INITIALLY DEFERRED%' LIMIT 1"
)

QUERIES = ("SELECT", "VALUES")
#: Statements whose rows can be asked for again.
READS = (*QUERIES, "WITH")
#: Statements that open a transaction when autocommit is off.
WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE")


def connect(driver: Driver) -> "Connection":
    """Return a connection over an open driver."""
    return Connection(driver)


class Connection:
    """
    A connection in autocommit mode, until a transaction is begun.

    With ``autocommit`` off, a transaction begins by itself before a statement
    that writes.
    """

    #: Whether infinite numbers can be bound.
    takes_infinity = True

    def __init__(self, driver: Driver):
        self.driver = driver
        self.autocommit = True
        self.in_transaction = False
        #: Whether this transaction may hold violations of foreign keys, to be found by its commit.
        self.constraints_deferred = False
        #: Whether it is so by ``defer_constraints``.
        self.pragma_is_on = False
        #: Whether a table declares deferred foreign keys, as those of other backends do; None
        #: until a statement writes.
        self.declares_deferred: bool | None = None
        self.closed = False

    def cursor(self) -> "Cursor":
        self._check_open()
        return Cursor(self)

    def begin(self) -> None:
        if self.in_transaction:
            raise OperationalError("cannot start a transaction within a transaction")
        self._call(self.driver.begin)
        self.in_transaction = True
        self.constraints_deferred = self.has_deferred_keys()

    def commit(self) -> None:
        """Commit, or raise IntegrityError and leave the transaction open."""
        if not self.in_transaction:
            return
        if self.constraints_deferred and self.violations():
            # workerd answers a commit that SQLite refuses by resetting the object.
            raise IntegrityError("FOREIGN KEY constraint failed")
        self._call(self.driver.commit)
        self._ended()

    def rollback(self) -> None:
        if not self.in_transaction:
            return
        try:
            self._call(self.driver.rollback)
        finally:
            self._ended()

    def _ended(self) -> None:
        self.in_transaction = self.constraints_deferred = self.pragma_is_on = False

    def savepoint(self, name: str) -> None:
        if not self.in_transaction:
            self.begin()
        self._call(self.driver.savepoint, name)

    def release(self, name: str) -> None:
        self._call(self.driver.release, name)

    def rollback_to(self, name: str) -> None:
        self._call(self.driver.rollback_to, name)

    def defer_constraints(self) -> bool:
        """
        Have foreign keys checked at the end of the open transaction.

        Return whether that is so: without a transaction they never are.
        """
        if self.in_transaction and not self.pragma_is_on:
            self._call(self.driver.execute, "PRAGMA defer_foreign_keys = ON", ())
            self.pragma_is_on = self.constraints_deferred = True
        return self.pragma_is_on

    def has_deferred_keys(self) -> bool:
        """Return whether a violation may stay unseen until a commit."""
        if self.declares_deferred is None:
            found = self._call(self.driver.execute, DEFERRED_KEYS, ())
            self.declares_deferred = bool(found.rows)
        return self.declares_deferred

    def write(self, sql: str, params: Sequence) -> Result:
        """Run a statement that writes, in a transaction of its own if it needs one."""
        if self.in_transaction or not self.has_deferred_keys():
            return self.execute(sql, params)
        self.begin()
        try:
            result = self.execute(sql, params)
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return result

    def violations(self) -> list[tuple]:
        """Return the rows of ``PRAGMA foreign_key_check``."""
        return self._call(self.driver.execute, "PRAGMA foreign_key_check", ()).rows

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.driver.close()
            self._ended()

    def execute(self, sql: str, params: Sequence) -> Result:
        """Run a statement that has ``?`` placeholders."""
        try:
            return self.driver.execute(sql, params)
        except DriverError as error:
            translated = translate(error)
            if (
                self.in_transaction
                and not self.pragma_is_on
                and type(translated) is IntegrityError
                and str(translated).startswith("FOREIGN KEY")
            ):
                # Django's foreign keys are checked at the end of a transaction. SQLite's own
                # deferred ones can't be used, see schema.py; so deferring starts when it matters.
                self.defer_constraints()
                return self.execute(sql, params)
            raise translated from error

    def _call(self, method, *args):
        self._check_open()
        try:
            return method(*args)
        except DriverError as error:
            raise translate(error) from error

    def _check_open(self) -> None:
        if self.closed:
            raise ProgrammingError("Cannot operate on a closed database.")

    def __enter__(self):
        return self

    def __exit__(self, exc_type, exc_value, traceback):
        if exc_type is None:
            self.commit()
        else:
            self.rollback()


CLOSED = "Cannot operate on a closed cursor."
NO_ROWS: Iterator[tuple] = iter(())


class ClosedRows:
    """The rows of a closed cursor."""

    def __iter__(self):
        return self

    def __next__(self):
        raise ProgrammingError(CLOSED)


class Cursor:
    """
    The result of one statement at a time.

    Cursors are independent: any number can be read in turns.
    """

    arraysize = 1

    def __init__(self, connection: Connection):
        self.connection = connection
        self._columns: Sequence[str] = ()
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: Iterator[tuple] = NO_ROWS
        self._more: More | None = None
        self._closed = False

    @property
    def description(self) -> list[tuple] | None:
        """The columns of the result, a tuple with a name and six times None for each; None without a result."""
        columns = self._columns
        return [(name, None, None, None, None, None, None) for name in columns] if columns else None

    def execute(self, query: str, params: Sequence | Mapping | None = None) -> "Cursor":
        """
        Run a statement, with ``%s`` or ``%(name)s`` placeholders if there are parameters.

        Without parameters (None) the statement is sent as it is.
        """
        connection = self.connection
        if self._closed or connection.closed:
            self._check_open()
        # What the statement before has found is gone, also if this one fails.
        self._columns, self.rowcount, self._rows = (), -1, NO_ROWS
        if self._more is not None:
            self._more.close()
            self._more = None
        if ";" in query:
            # A Durable Object would run them all, an injected one too, and takes no comment behind the last.
            try:
                query = only_statement(query)
            except SeveralStatements:
                raise ProgrammingError("You can only execute one statement at a time.") from None
        if params is None:
            if query[:1] in CONTROL_INITIALS:
                if match := TRANSACTION_CONTROL.match(query):
                    return self._control(match)
                if result := without_effect(query):
                    self._columns, self._rows = result.columns, iter(result.rows)
                    return self
            sql, values = query, ()
        else:
            try:
                sql, values = prepare(query, params, connection.takes_infinity)
            except InfiniteParameter:
                raise DataError("This database can't store an infinite number.") from None
            except UnicodeError:
                raise
            except (UnsupportedParameter, ValueError) as error:
                raise ProgrammingError(str(error)) from error
        if (
            connection.in_transaction
            or (connection.autocommit and connection.declares_deferred is False)
            or not is_write(sql)
        ):
            result = connection.execute(sql, values)
        else:
            if not connection.autocommit:
                connection.begin()
            result = connection.write(sql, values)
        self._columns = result.columns
        self.rowcount = result.rowcount
        if result.lastrowid is not None:
            self.lastrowid = result.lastrowid
        self._more = result.more
        if result.inexact and is_read(sql):
            self._rows = self._exactly(len(result.columns), sql, values)
        elif result.more is not None:
            self._rows = self._chunks(result.rows, result.more, sql, values)
        else:
            self._rows = iter(result.rows)
        return self

    def executemany(self, query: str, param_list: Iterable[Sequence | Mapping]) -> "Cursor":
        """Run a statement that writes once for each set of parameters; ``rowcount`` is the sum."""
        if is_query(query):
            raise ProgrammingError("executemany() can only execute DML statements.")
        total = 0
        for params in param_list:
            self.execute(query, params)
            total += max(self.rowcount, 0)
        self.rowcount = total
        return self

    def fetchone(self) -> tuple | None:
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[tuple]:
        """Return the next rows; all that are left for a negative ``size``, as Python's sqlite3 does."""
        if size is None:
            size = self.arraysize
        return list(self._rows if size < 0 else islice(self._rows, size))

    def fetchall(self) -> list[tuple]:
        return list(self._rows)

    def __iter__(self):
        return self._rows

    def close(self) -> None:
        self._closed = True
        self._rows = ClosedRows()
        if self._more is not None:
            self._more.close()

    def setinputsizes(self, sizes):
        """Do nothing, as DB-API allows."""

    def setoutputsize(self, size, column=None):
        """Do nothing, as DB-API allows."""

    def _check_open(self) -> None:
        if self._closed:
            raise ProgrammingError(CLOSED)
        self.connection._check_open()

    def _control(self, match: re.Match) -> "Cursor":
        connection, action = self.connection, match.lastgroup
        if action in ("savepoint", "release", "rollback_to"):
            getattr(connection, action)(match[action].strip('"'))
        elif action == "begin" or connection.in_transaction:
            getattr(connection, action)()
        else:
            raise OperationalError(f"cannot {action} - no transaction is active")
        return self

    def _chunks(self, rows: list[tuple], more: More, sql: str, params: Sequence) -> Iterator[tuple]:
        width = len(rows[0])
        yield from rows
        for rows, inexact in more:
            if inexact and is_read(sql):
                yield from self._exactly(width, sql, params, len(rows) + more.count())
                return
            yield from rows

    def _exactly(
        self, width: int, sql: str, params: Sequence, last: int | None = None
    ) -> Iterator[tuple]:
        """
        Read a query again with its integers as text: all of it, or its last rows.

        Only now is it worth it: hardly any result holds an integer that a
        JavaScript number rounds. How many rows are left says where to go on:
        those that were read may have been deleted meanwhile.
        """
        names = [f"c{index}" for index in range(width)]
        exact = ", ".join(
            f"CASE typeof({name}) WHEN 'integer' THEN 'i' || {name} "
            f"WHEN 'text' THEN 't' || {name} ELSE {name} END"
            for name in names
        )
        sql = sql.rstrip().rstrip(";")
        query = f"WITH q({', '.join(names)}) AS ({sql})"
        offset = ""
        if last is not None:
            [(total,)] = self.connection.execute(f"{query} SELECT count(*) FROM q", params).rows
            offset = f" LIMIT -1 OFFSET {total - last}"
        result = self.connection.execute(f"{query} SELECT {exact} FROM q{offset}", params)
        if self._more is not None:
            self._more.close()
        self._more = result.more
        rest = chain.from_iterable(rows for rows, _ in result.more or ())
        return map(as_exact, chain(result.rows, rest))


def as_exact(row: tuple) -> tuple:
    """Return a row whose integers came as text after an ``i``, and its text after a ``t``."""
    return tuple(
        value if type(value) is not str else int(value[1:]) if value[0] == "i" else value[1:]
        for value in row
    )


def is_read(sql: str) -> bool:
    return sql.lstrip(" \t\n(")[:6].upper().startswith(READS)


def is_query(sql: str) -> bool:
    """Return whether a statement surely changes nothing: one that begins with WITH may."""
    return sql.lstrip(" \t\n(")[:6].upper().startswith(QUERIES)


def is_write(sql: str) -> bool:
    return sql.lstrip(" \t\n(")[:7].upper().startswith(WRITES)
