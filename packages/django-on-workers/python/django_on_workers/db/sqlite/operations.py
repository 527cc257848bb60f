"""What Django's SQLite backend does with user-defined functions, without them."""

from contextlib import contextmanager
from functools import lru_cache

from django.conf import settings
from django.db import DatabaseError
from django.db.backends.sqlite3.operations import DatabaseOperations as SQLiteDatabaseOperations
from django.db.models import CompositePrimaryKey
from django.utils.functional import cached_property

from . import dates
from .fragments import Fragment
from .statements import adapter_for, literal

#: Fields whose values can be integers too large for a JavaScript number.
INTEGER_TYPES = frozenset(
    {
        "AutoField",
        "BigAutoField",
        "BigIntegerField",
        "DurationField",
        "IntegerField",
        "PositiveBigIntegerField",
        "PositiveIntegerField",
        "PositiveSmallIntegerField",
        "SmallAutoField",
        "SmallIntegerField",
    }
)


class DatabaseOperations(SQLiteDatabaseOperations):
    compiler_module = "django_on_workers.db.sqlite.compiler"

    #: Whether a value may be computed in a subquery of its own.
    binds = True

    @contextmanager
    def without_subqueries(self):
        """Compile what follows without subqueries of our own, see ``fragments.fill``."""
        before, self.binds = self.binds, False
        try:
            yield
        finally:
            self.binds = before

    def bulk_batch_size(self, fields, objs):
        columns = sum(
            len(field.fields) if isinstance(field, CompositePrimaryKey) else 1 for field in fields
        )
        if not columns:
            return len(objs)
        return max(1, self.connection.features.max_query_params // columns)

    # Dates and times.

    def _local(self, sql, params, tzname):
        stored_in = self.connection.timezone_name if settings.USE_TZ else None
        return dates.local(Fragment(sql, tuple(params)), tzname, stored_in, bind=self.binds)

    def date_extract_sql(self, lookup_type, sql, params):
        return self.datetime_extract_sql(lookup_type, sql, params, None)

    def datetime_extract_sql(self, lookup_type, sql, params, tzname):
        kind = lookup_type.lower()
        if kind == "microsecond":
            return dates.microsecond(Fragment(sql, tuple(params)), start=21, bind=self.binds)
        return dates.extract(kind, self._local(sql, params, tzname), bind=self.binds)

    def time_extract_sql(self, lookup_type, sql, params):
        kind = lookup_type.lower()
        if kind == "microsecond":
            return dates.microsecond(Fragment(sql, tuple(params)), start=10, bind=self.binds)
        return dates.extract(kind, self._local(sql, params, None), bind=self.binds)

    def _truncate(self, templates, lookup_type, sql, params, tzname):
        moment = self._local(sql, params, tzname)
        return dates.truncate(templates, lookup_type.lower(), moment, bind=self.binds)

    def date_trunc_sql(self, lookup_type, sql, params, tzname=None):
        return self._truncate(dates.TRUNCATE_DATE, lookup_type, sql, params, tzname)

    def time_trunc_sql(self, lookup_type, sql, params, tzname=None):
        return self._truncate(dates.TRUNCATE_TIME, lookup_type, sql, params, tzname)

    def datetime_trunc_sql(self, lookup_type, sql, params, tzname):
        return self._truncate(dates.TRUNCATE, lookup_type, sql, params, tzname)

    def datetime_cast_date_sql(self, sql, params, tzname):
        return self._local(sql, params, tzname).fill("date({t})", bind=self.binds)

    def datetime_cast_time_sql(self, sql, params, tzname):
        value = Fragment(sql, tuple(params))
        return dates.time_of(value, self._local(sql, params, tzname), bind=self.binds)

    def subtract_temporals(self, internal_type, lhs, rhs):
        count = dates.time_microseconds if internal_type == "TimeField" else dates.date_microseconds
        left, right = (
            count(Fragment(sql, tuple(params)), bind=self.binds) for sql, params in (lhs, rhs)
        )
        return dates.difference(left, right)

    def combine_duration_expression(self, connector, sub_expressions):
        if connector not in {"+", "-", "*", "/"}:
            raise DatabaseError(f"Invalid connector for timedelta: {connector}.")
        lhs, rhs = sub_expressions
        if connector == "/":
            # Python's division, which Django's SQLite backend uses, gives a fraction.
            lhs = f"CAST({lhs} AS REAL)"
        return f"{lhs} {connector} {rhs}"

    def combine_expression(self, connector, sub_expressions):
        if connector == "^":
            return "POW({})".format(", ".join(sub_expressions))
        return super().combine_expression(connector, sub_expressions)

    # Values.

    def get_db_converters(self, expression):
        converters = super().get_db_converters(expression)
        if expression.output_field.get_internal_type() == "FloatField":
            converters.append(self.convert_floatfield_value)
        return converters

    def convert_floatfield_value(self, value, expression, connection):
        # A real number without a fraction can't be told from an integer.
        return float(value) if type(value) is int else value

    # Statements.

    def last_executed_query(self, cursor, sql, params):
        if not params:
            return sql
        if isinstance(params, (list, tuple)):
            return sql % tuple(map(quote, params))
        return sql % {name: quote(value) for name, value in params.items()}

    @cached_property
    def _references_graph(self):
        return lru_cache(maxsize=512)(self._referring_tables)

    def _referring_tables(self, table_name):
        """Return the table and all the tables whose foreign keys lead to it."""
        with self.connection.cursor() as cursor:
            cursor.execute(
                "WITH RECURSIVE tables(name) AS (SELECT %s UNION SELECT m.name "
                "FROM sqlite_master m, pragma_foreign_key_list(m.name) f, tables "
                "WHERE m.type = 'table' AND substr(m.name, 1, 4) <> '_cf_' "
                'AND lower(f."table") = lower(tables.name)) '
                "SELECT name FROM tables",
                (table_name,),
            )
            return [row[0] for row in cursor.fetchall()]


def quote(value):
    """Return a parameter as SQL's QUOTE() writes it, for logs."""
    adapter = adapter_for(type(value))
    value = value if adapter is None else adapter(value)
    return str(value) if isinstance(value, int) else literal(value)
