"""
Patterns and regular expressions.

A LIKE pattern has at most 50 bytes here, and there is no REGEXP.
"""

import json
import re

from django.db import NotSupportedError, OperationalError
from django.db.models.expressions import Col, OuterRef, ResolvedOuterRef, Subquery
from django.db.models.fields.json import KeyTransformIExact

from .fragments import Fragment, can_bind, compile_as_django, fill

MAX_PATTERN = 50


def _sides(node, compiler, connection) -> tuple[Fragment, Fragment]:
    lhs, lhs_params = node.process_lhs(compiler, connection)
    rhs, rhs_params = node.process_rhs(compiler, connection)
    return Fragment(lhs, tuple(lhs_params)), Fragment(rhs, tuple(rhs_params))


def _match(node, compiler, connection, with_value: str, with_expression: str):
    """
    Compile a LIKE, or what finds the same where its pattern is or could be too long.

    LIKE ignores the case of ASCII letters, as lower() does.
    """
    if is_value(node):
        sql, params = compile_as_django(node, compiler, connection)
        if len(str(params[-1]).encode()) <= MAX_PATTERN:
            return sql, params
        lhs, lhs_params = node.process_lhs(compiler, connection)
        value = str(node.rhs)
        return with_value.format(lhs, len(value)), (*lhs_params, value)
    lhs, rhs = _sides(node, compiler, connection)
    bind = can_bind(compiler, node.lhs) and can_bind_value(compiler, node.rhs)
    return fill(with_expression, lhs, rhs, bind=bind)


def is_value(node) -> bool:
    """Return whether a lookup is for a Python value, as it stands."""
    return node.rhs_is_direct_value() and not node.bilateral_transforms


def can_bind_value(compiler, value) -> bool:
    return not hasattr(value, "contains_aggregate") or can_bind(compiler, value)


def contains(node, compiler, connection):
    return _match(
        node,
        compiler,
        connection,
        "INSTR(LOWER({0}), LOWER(%s)) > 0",
        "INSTR(LOWER({0}), LOWER({1})) > 0",
    )


def startswith(node, compiler, connection):
    return _match(
        node,
        compiler,
        connection,
        "LOWER(SUBSTR({0}, 1, {1})) = LOWER(%s)",
        "(LOWER(SUBSTR({0}, 1, LENGTH({1}))) = LOWER({1}))",
    )


def endswith(node, compiler, connection):
    return _match(
        node,
        compiler,
        connection,
        "LOWER(SUBSTR({0}, -{1})) = LOWER(%s)",
        "(LENGTH({1}) = 0 AND {0} IS NOT NULL OR LOWER(SUBSTR({0}, -LENGTH({1}))) = LOWER({1}))",
    )


def iexact(node, compiler, connection):
    if isinstance(node, KeyTransformIExact) and node.rhs is None:
        return compile_as_django(node, compiler, connection)
    if is_value(node):
        sql, params = compile_as_django(node, compiler, connection)
        if len(str(params[-1]).encode()) <= MAX_PATTERN:
            return sql, params
        lhs, lhs_params = node.process_lhs(compiler, connection)
        return f"LOWER({lhs}) = LOWER(%s)", (*lhs_params, str(node.rhs))
    lhs, rhs = _sides(node, compiler, connection)
    return f"LOWER({lhs.sql}) = LOWER({rhs.sql})", (*lhs.params, *rhs.params)


def regex(node, compiler, connection):
    """
    Compile a regular expression as the list of the values that match.

    The values of the expression are read when the query is compiled, and
    matched by Python's ``re``, as Django's SQLite backend does. That needs an
    expression over the columns of one table.
    """
    lhs, rhs = _sides(node, compiler, connection)
    table = _only_table(node, compiler)
    prefix = "(?i)" if node.lookup_name == "iregex" else ""
    with connection.wrap_database_errors:
        connection.ensure_connection()
        cursor = connection.connection.cursor()
        cursor.execute(
            f"SELECT DISTINCT {lhs.sql} COLLATE BINARY, {rhs.sql}{table}",
            (*lhs.params, *rhs.params),
        )
    matching = []
    try:
        for value, pattern in cursor:
            if value is None or pattern is None:
                continue
            if re.search(prefix + pattern, value if type(value) is str else str(value)):
                matching.append([value, pattern])
    except re.error as error:
        raise OperationalError(f"invalid regular expression {pattern!r}: {error}") from error
    if not matching:
        # False, or NULL for NULL.
        return fill("({0} <> {0})", lhs, bind=False)
    try:
        if node.rhs_is_direct_value():
            text = json.dumps([value for value, _ in matching], ensure_ascii=False)
            return (
                f"{lhs.sql} COLLATE BINARY IN (SELECT value FROM json_each(%s))",
                (*lhs.params, text),
            )
        text = json.dumps(matching, ensure_ascii=False)
    except TypeError:
        raise NotSupportedError(
            f"{node.lookup_name} is not supported on binary values here."
        ) from None
    return (
        f"({lhs.sql}, {rhs.sql}) IN "
        "(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(%s))",
        (*lhs.params, *rhs.params, text),
    )


def _only_table(node, compiler) -> str:
    """Return a FROM clause for the one table whose columns a lookup names."""
    aliases = set()
    for side in (node.lhs, node.rhs):
        if not hasattr(side, "flatten"):
            continue
        for part in side.flatten():
            if isinstance(part, Col):
                aliases.add(part.alias)
            elif isinstance(part, (Subquery, OuterRef, ResolvedOuterRef)):
                aliases.add(None)
        if side.contains_aggregate or side.contains_over_clause:
            aliases.add(None)
    tables = [compiler.query.alias_map.get(alias) for alias in aliases]
    names = {getattr(table, "table_name", None) for table in tables}
    if not compiler.query.alias_cols or len(aliases) > 1 or None in names:
        raise NotSupportedError(
            f"{node.lookup_name} is supported only on columns of one table and expressions of "
            "them: SQLite on Workers has no regular expressions."
        )
    if not names:
        return ""
    quote = compiler.connection.ops.quote_name
    return f" FROM {quote(names.pop())} {quote(aliases.pop())}"
