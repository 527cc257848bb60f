"""
The standard library's SQLite, limited to what Workers offer.

The limits, the functions and the pragmas are those of workerd
(src/workerd/util/sqlite.c++), so that a statement that works here works there,
as far as this machine's older SQLite allows. Numbers are as lossy as they are
when JavaScript carries them.
"""

import atexit
import sqlite3
import threading
from itertools import islice

from django_on_workers.db.sqlite.driver import MAX_SAFE_INTEGER, DriverError, Result

LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 4 * 1024 * 1024,
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 100_000,
    sqlite3.SQLITE_LIMIT_COLUMN: 100,
    sqlite3.SQLITE_LIMIT_EXPR_DEPTH: 100,
    sqlite3.SQLITE_LIMIT_COMPOUND_SELECT: 5,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 25_000,
    sqlite3.SQLITE_LIMIT_FUNCTION_ARG: 127,
    sqlite3.SQLITE_LIMIT_ATTACHED: 0,
    sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 10,
}

FUNCTIONS = frozenset(
    """
    abs changes char coalesce concat concat_ws format glob hex ifnull iif instr
    last_insert_rowid length like likelihood likely lower ltrim max min nullif octet_length
    printf quote random randomblob replace round rtrim sign soundex substr substring
    total_changes trim typeof unhex unicode unlikely upper zeroblob
    date time datetime julianday unixepoch strftime timediff
    current_date current_time current_timestamp
    avg count group_concat string_agg sum total
    row_number rank dense_rank percent_rank cume_dist ntile lag lead
    first_value last_value nth_value
    acos acosh asin asinh atan atan2 atanh ceil cos cosh degrees exp floor ln log log2 mod pi
    pow radians sin sinh sqrt tan tanh trunc
    json json_array json_array_length json_extract -> ->> json_insert json_object json_patch
    json_remove json_replace json_set json_type json_valid json_quote json_group_array
    json_group_object json_each json_tree
    sqlite_rename_column sqlite_rename_table sqlite_rename_test sqlite_drop_column
    sqlite_rename_quotefix
    """.split()
)

PRAGMAS = frozenset(
    """
    data_version page_size case_sensitive_like foreign_keys defer_foreign_keys
    ignore_check_constraints legacy_alter_table recursive_triggers reverse_unordered_selects
    foreign_key_check foreign_key_list index_info index_list index_xinfo quick_check optimize
    table_list table_info table_xinfo
    """.split()
)

FORBIDDEN = frozenset(
    getattr(sqlite3, f"SQLITE_{name}")
    for name in (
        "ATTACH",
        "DETACH",
        "CREATE_TEMP_TABLE",
        "DROP_TEMP_TABLE",
        "CREATE_TEMP_INDEX",
        "DROP_TEMP_INDEX",
        "CREATE_TEMP_TRIGGER",
        "DROP_TEMP_TRIGGER",
        "CREATE_TEMP_VIEW",
        "DROP_TEMP_VIEW",
    )
)
TRANSACTIONS = frozenset({sqlite3.SQLITE_TRANSACTION, sqlite3.SQLITE_SAVEPOINT})

CHUNK = 100

#: The databases there are, by name: they outlive the connections to them.
databases: dict[str, "Database"] = {}
lock = threading.Lock()


class Database:
    def __init__(self):
        self.trusted = False
        self.connection = sqlite3.connect(
            ":memory:", isolation_level=None, check_same_thread=False, cached_statements=256
        )
        self.connection.execute("PRAGMA foreign_keys = ON")
        self.connection.execute("PRAGMA legacy_alter_table = OFF")
        for limit, value in LIMITS.items():
            self.connection.setlimit(limit, value)
        self.connection.set_authorizer(self._authorize)

    def _authorize(self, action, first, second, database, trigger):
        if action == sqlite3.SQLITE_READ:
            return sqlite3.SQLITE_DENY if reserved(first) else sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK if second.lower() in FUNCTIONS else sqlite3.SQLITE_DENY
        if action in TRANSACTIONS:
            return sqlite3.SQLITE_OK if self.trusted else sqlite3.SQLITE_DENY
        if action == sqlite3.SQLITE_PRAGMA:
            if first.lower() == "foreign_keys" and second is not None and not self.trusted:
                # Accepted, and without effect.
                return sqlite3.SQLITE_IGNORE
            return sqlite3.SQLITE_OK if first.lower() in PRAGMAS else sqlite3.SQLITE_DENY
        if action in FORBIDDEN:
            return sqlite3.SQLITE_DENY
        if first is not None and reserved(first):
            return sqlite3.SQLITE_DENY
        return sqlite3.SQLITE_OK

    def control(self, sql):
        self.trusted = True
        try:
            self.connection.execute(sql)
        finally:
            self.trusted = False


def reserved(name):
    return name.lower().startswith("_cf_")


def database(name) -> Database:
    with lock:
        if name not in databases:
            databases[name] = Database()
        return databases[name]


@atexit.register
def close_all():
    for each in databases.values():
        each.connection.close()


class LimitedDriver:
    """The driver that both flavours share: a Durable Object's, without D1's ``batch``."""

    prefix = ""

    def __init__(self, name):
        self.database = database(name)
        self.connection = self.database.connection
        self.closed = False

    def execute(self, sql, params):
        if self.closed:
            raise DriverError("the driver is closed")
        for value in params:
            if type(value) not in (int, float, str, bytes, type(None)):
                raise AssertionError(f"can't be bound: {value!r}")
            if type(value) is int and not -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER:
                raise AssertionError(f"JavaScript would round {value}")
        # JavaScript has one kind of number, and it is bound as a real one.
        params = [float(value) if type(value) is int else value for value in params]
        try:
            cursor = self.connection.execute(sql, params)
            columns = tuple(column[0] for column in cursor.description or ())
            rows, inexact = read(cursor) if columns else ([], False)
        except sqlite3.Error as error:
            raise self.error(error) from error
        more = More(self, cursor) if len(rows) == CHUNK else None
        return Result(columns, rows, more, cursor.rowcount, cursor.lastrowid, inexact)

    def error(self, error):
        code = getattr(error, "sqlite_errorname", None)
        message = str(error)
        if code is None:
            if "query string is too large" in message:
                # Said by Python's module, before SQLite sees it.
                return DriverError(f"{self.prefix}statement too long: SQLITE_TOOBIG")
            if "number of bindings" in message:
                message = "Wrong number of parameter bindings for SQL query."
            return DriverError(self.prefix + message)
        base = "_".join(code.split("_")[:2])
        extended = f" (extended: {code})" if base != code else ""
        return DriverError(f"{self.prefix}{message}: {base}{extended}")

    def _control(self, sql):
        try:
            self.database.control(sql)
        except sqlite3.Error as error:
            raise self.error(error) from error

    def begin(self):
        self._control("BEGIN")

    def commit(self):
        try:
            self.database.control("COMMIT")
        except sqlite3.Error as error:
            self.rollback()
            raise DriverError(f"the object was reset: {error}") from error

    def rollback(self):
        if self.connection.in_transaction:
            self._control("ROLLBACK")

    def savepoint(self, name):
        self._control(f'SAVEPOINT "{name}"')

    def release(self, name):
        self._control(f'RELEASE "{name}"')

    def rollback_to(self, name):
        self._control(f'ROLLBACK TO "{name}"')

    def batch(self, statements):
        raise NotImplementedError

    def close(self):
        if not self.closed:
            self.rollback()
            self.closed = True


class LimitedD1Driver(LimitedDriver):
    prefix = "D1_ERROR: "

    def begin(self):
        raise AssertionError("D1 has no transactions")

    commit = savepoint = release = rollback_to = begin

    def batch(self, statements):
        self._control("BEGIN")
        try:
            results = [self.execute(sql, params) for sql, params in statements]
            self._control("COMMIT")
        except BaseException:
            self.rollback()
            raise
        return results


class More:
    """The rest of a result: the cursor is read as it is asked."""

    def __init__(self, driver, cursor):
        self.driver = driver
        self.cursor = cursor

    def __iter__(self):
        return self

    def __next__(self):
        try:
            rows, inexact = read(self.cursor)
        except sqlite3.Error as error:
            raise self.driver.error(error) from error
        if not rows:
            raise StopIteration
        return rows, inexact

    def count(self):
        return sum(1 for _ in self.cursor)

    def close(self):
        self.cursor.close()


def read(cursor):
    """Return the next chunk of rows, and whether a number may have been rounded."""
    rows = [tuple(map(as_javascript, row)) for row in islice(cursor, CHUNK)]
    return rows, any(
        type(value) is float and abs(value) > MAX_SAFE_INTEGER for row in rows for value in row
    )


def as_javascript(value):
    """Return what is left of a value when a JavaScript number has carried it."""
    if type(value) is int:
        return value if -MAX_SAFE_INTEGER <= value <= MAX_SAFE_INTEGER else float(value)
    if type(value) is float and value.is_integer() and abs(value) <= MAX_SAFE_INTEGER:
        return int(value)
    return value
