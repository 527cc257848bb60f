"""Aggregates that SQLite has no function for."""

from django.db import NotSupportedError
from django.db.models.expressions import Col

from .fragments import Compiled, Fragment, compiled


def _aggregate(node, compiler, connection, function: str, value: Fragment) -> Fragment:
    """Return another aggregate function of another value, with this aggregate's filter."""
    copy = node.copy()
    _, *others = node.get_source_expressions()
    copy.set_source_expressions([Compiled(value, node.output_field), *others])
    sql, params = copy.as_sql(compiler, connection, function=function)
    return Fragment(sql, tuple(params))


def any_value(node, compiler, connection):
    return node.as_sqlite(compiler, connection, function="MIN")


def _sample(node, compiler, value: Fragment) -> Fragment:
    """
    Return some value of the column, or 0.

    Sums of squares lose all their digits when values are large and close to
    each other; taken from any one of them they don't.
    """
    (source, *_) = node.get_source_expressions()
    table = compiler.query.alias_map.get(source.alias) if isinstance(source, Col) else None
    if getattr(table, "table_name", None) is None or value.params:
        return Fragment("0")
    quote = compiler.connection.ops.quote_name
    return Fragment(
        f"(SELECT {value.sql} FROM {quote(table.table_name)} {quote(source.alias)} "
        f"WHERE {value.sql} IS NOT NULL LIMIT 1)"
    )


def _spread(node, compiler, connection, template: str):
    """Return variance in a template, of all or of a sample, as the node's function says."""
    if node.filter is not None and not connection.features.supports_aggregate_filter_clause:
        raise NotSupportedError("Aggregates need FILTER.")
    (source, *_) = node.get_source_expressions()
    value = compiled(source, compiler)
    sample = _sample(node, compiler, value)
    shifted = f"({value.sql} - {sample.sql})"
    square = f"{shifted} * 1.0 * {shifted}"

    def total(function, sql, times):
        return _aggregate(node, compiler, connection, function, Fragment(sql, value.params * times))

    count = total("COUNT", value.sql, 1)
    first = total("TOTAL", shifted, 1)
    second = total("TOTAL", square, 2)
    less = " - 1" if node.function.endswith("_SAMP") else ""
    # NULL for no value at all, and for a sample of one.
    sql = template.format(
        f"max({second.sql} - {first.sql} * {first.sql} / {count.sql}, 0) "
        f"/ nullif({count.sql}{less}, 0)"
    )
    if node.output_field.get_internal_type() == "DecimalField":
        sql = f"CAST({sql} AS NUMERIC)"
    return sql, (*second.params, *first.params, *first.params, *count.params, *count.params)


def variance(node, compiler, connection):
    return _spread(node, compiler, connection, "({})")


def stddev(node, compiler, connection):
    return _spread(node, compiler, connection, "sqrt({})")


def bitwise(node, compiler, connection):
    """Return a bitwise aggregate, computed for each of the 64 bits."""
    (source, *_) = node.get_source_expressions()
    value = compiled(source, compiler)
    parts, params = [], []
    for bit in range(64):
        mask = f"(1 << {bit})"
        if node.function == "BIT_XOR":
            part = _aggregate(
                node,
                compiler,
                connection,
                "SUM",
                Fragment(f"({value.sql} >> {bit}) & 1", value.params),
            )
            sql = f"(({part.sql}) %% 2 << {bit})"
        else:
            # The sign bit is the smallest number, every other bit larger than none.
            largest = (node.function == "BIT_OR") != (bit == 63)
            part = _aggregate(
                node,
                compiler,
                connection,
                "MAX" if largest else "MIN",
                Fragment(f"{value.sql} & {mask}", value.params),
            )
            sql = part.sql
        parts.append(sql)
        params.extend(part.params)
    # In groups, because an expression has a limited depth.
    groups = (" | ".join(parts[start : start + 8]) for start in range(0, 64, 8))
    return "(" + " | ".join(f"({group})" for group in groups) + ")", tuple(params)
