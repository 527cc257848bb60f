"""Conditions whose number of terms or values exceeds a limit of the platform."""

import json

from django.db.models.expressions import ColPairs

from .fragments import compile_as_django
from .statements import MAX_INT64, MIN_INT64, adapter_for, fits_json

#: An expression may be 100 levels deep, and ``a OR b OR c`` is one level a term.
MAX_TERMS = 10

#: Longer lists of values are sent as one JSON parameter.
MAX_LISTED = 30


def compile_where(node, compiler, connection):
    """Compile AND, OR and XOR of many terms as a balanced tree."""
    if len(node.children) > MAX_TERMS:
        node = balanced(node)
    return node.as_sql(compiler, connection)


def balanced(node):
    children = node.children
    while len(children) > MAX_TERMS:
        children = [
            node.__class__(children[start : start + MAX_TERMS], node.connector)
            for start in range(0, len(children), MAX_TERMS)
        ]
    tree = node.__class__(children, node.connector, node.negated)
    tree.resolved = node.resolved
    return tree


def compile_in(node, compiler, connection):
    """Compile ``IN`` with a long list of values as one parameter."""
    if (
        not node.rhs_is_direct_value()
        or len(node.rhs) <= MAX_LISTED
        or isinstance(node.lhs, ColPairs)
        # Not in a constraint or an index: there can't be subqueries.
        or not compiler.query.alias_cols
    ):
        return compile_as_django(node, compiler, connection)
    placeholders, values = node.process_rhs(compiler, connection)
    if placeholders == "(" + ", ".join(["%s"] * len(values)) + ")":
        text = json_list(values)
        if text is not None:
            lhs, params = node.process_lhs(compiler, connection)
            return f"{lhs} IN (SELECT value FROM json_each(%s))", (*params, text)
    return compile_as_django(node, compiler, connection)


def json_list(values) -> str | None:
    """Return values as a JSON array that SQLite reads as the same values, or None."""
    plain = []
    for value in values:
        adapter = adapter_for(type(value))
        if adapter is not None:
            value = adapter(value)
        if not fits_json(value) or (isinstance(value, int) and not MIN_INT64 <= value <= MAX_INT64):
            return None
        plain.append(value)
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
