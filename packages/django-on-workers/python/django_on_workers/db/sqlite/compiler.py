"""SQL compilers that know what this SQLite lacks."""

from django.db.models.sql import compiler

from . import wide
from .operations import INTEGER_TYPES
from .rewrites import rewrite_for


class RewritingCompiler:
    """Compiles the nodes that need other SQL here by ``rewrites``, the others as Django does."""

    def compile(self, node):
        rewrite = rewrite_for(type(node))
        if rewrite is None:
            return super().compile(node)
        return rewrite(node, self, self.connection)


class SQLCompiler(RewritingCompiler, compiler.SQLCompiler):
    #: Terms of a compound SELECT, as compiled into workerd.
    max_compound_terms = 5

    #: The whole select list, while the columns beyond the limit are selected as one.
    _whole_select = None

    def setup_query(self, with_col_aliases=False):
        super().setup_query(with_col_aliases=with_col_aliases)
        query = self.query
        self._whole_select = None
        if (
            len(self.select) > wide.MAX_COLUMNS
            and not with_col_aliases
            and not (query.subquery or query.combinator or query.distinct)
            and query.group_by is None
        ):
            self._whole_select = self.select
            self.select = wide.pack(self.select)
            self.col_count = len(self.select)

    def execute_sql(self, result_type=compiler.MULTI, **kwargs):
        result = super().execute_sql(result_type, **kwargs)
        if self._whole_select is None:
            return result
        self.select, self._whole_select = self._whole_select, None
        self.col_count = len(self.select)
        if result_type == compiler.MULTI:
            return ([wide.unpack(row) for row in chunk] for chunk in result)
        return wide.unpack(result) if result_type == compiler.SINGLE and result else result

    def get_combinator_sql(self, combinator, all):
        queries = self.query.combined_queries
        if len(queries) <= self.max_compound_terms:
            return super().get_combinator_sql(combinator, all)
        self.query = self.query.clone()
        self.query.combined_queries = self._nested(queries, combinator, all)
        return super().get_combinator_sql(combinator, all)

    def _nested(self, queries, combinator, all):
        """
        Return at most as many queries as a compound SELECT can have, that combine to the same.

        UNION and INTERSECT are associative; EXCEPT has to be worked off from the left.
        """
        size = self.max_compound_terms
        while len(queries) > size:
            if combinator == "difference":
                queries = (self._combine(queries[:size], combinator, all), *queries[size:])
            else:
                queries = tuple(
                    self._combine(queries[start : start + size], combinator, all)
                    if len(queries[start : start + size]) > 1
                    else queries[start]
                    for start in range(0, len(queries), size)
                )
        return queries

    def _combine(self, queries, combinator, all):
        query = self.query.clone()
        query.combined_queries = tuple(queries)
        query.combinator, query.combinator_all = combinator, all
        query.clear_limits()
        query.clear_ordering(force=True)
        return query


class SQLInsertCompiler(RewritingCompiler, compiler.SQLInsertCompiler):
    def execute_sql(self, returning_fields=None):
        # An INSERT that D1 keeps back returns nothing yet, which Django 5.2 takes for a row.
        rows = [row for row in super().execute_sql(returning_fields) if row is not None]
        for index, row in enumerate(rows):
            if float in map(type, row) and self._is_rounded(row):
                rows[index] = self._read_again(index, len(rows))
        return rows

    def _is_rounded(self, row):
        return any(
            type(value) is float and field.get_internal_type() in INTEGER_TYPES
            for value, field in zip(row, self.returning_fields, strict=True)
        )

    def _read_again(self, index, count):
        """
        Return what an inserted row returned, with its large integers.

        RETURNING can't be run a second time, unlike a query.
        """
        meta, quote = self.query.get_meta(), self.connection.ops.quote_name
        columns = ", ".join(quote(field.column) for field in self.returning_fields)
        key = self.query.objs[index].pk
        with self.connection.cursor() as cursor:
            if key is None:
                cursor.execute("SELECT last_insert_rowid()")
                key = cursor.fetchone()[0] - (count - 1 - index)
            cursor.execute(
                f"SELECT {columns} FROM {quote(meta.db_table)} WHERE {quote(meta.pk.column)} = %s",
                [meta.pk.get_db_prep_value(key, self.connection)],
            )
            return cursor.fetchone()


class SQLDeleteCompiler(RewritingCompiler, compiler.SQLDeleteCompiler):
    pass


class SQLUpdateCompiler(RewritingCompiler, compiler.SQLUpdateCompiler):
    pass


class SQLAggregateCompiler(RewritingCompiler, compiler.SQLAggregateCompiler):
    pass
