"""Pieces of SQL with their parameters."""

import re
from typing import NamedTuple

from django.db.models.expressions import Expression

HOLE = re.compile(r"\{(\d)\}")
NAMES = "vwxyz"

#: Up to how many characters an expression is repeated instead of named in a subquery.
SHORT = 400


class Fragment(NamedTuple):
    """SQL for a ``%s`` statement and its parameters."""

    sql: str
    params: tuple = ()


def fill(template: str, *values: Fragment, bind: bool, once: bool = False) -> Fragment:
    """
    Put values into the ``{0}``, ``{1}``, … of a template, each as often as it has them.

    With ``bind`` values that are more than names are computed once, in a
    subquery; with ``once`` always. Subqueries are not allowed in constraints,
    indexes and generated columns, and an aggregate could change its meaning.
    """
    holes = [int(hole) for hole in HOLE.findall(template)]
    if bind and len(holes) > len(values):
        length = sum(len(values[hole].sql) for hole in holes)
        if once or length > SHORT or any(value.params for value in values):
            # A subquery without FROM is never merged into the query around it,
            # which would compute its value as often as it is named.
            named = ", ".join(
                f"{value.sql} AS {name}" for value, name in zip(values, NAMES, strict=False)
            )
            sql = HOLE.sub(lambda match: NAMES[int(match[1])], template)
            params = tuple(param for value in values for param in value.params)
            return Fragment(f"(SELECT {sql} FROM (SELECT {named}))", params)
    sql = HOLE.sub(lambda match: values[int(match[1])].sql, template)
    return Fragment(sql, tuple(param for hole in holes for param in values[hole].params))


class Compiled(Expression):
    """An expression whose SQL is known."""

    def __init__(self, fragment: Fragment, output_field=None):
        super().__init__(output_field=output_field)
        self.fragment = fragment

    def as_sql(self, compiler, connection):
        return self.fragment


def compile_as_django(node, compiler, connection):
    """Compile a node as Django's own compiler does."""
    method = getattr(node, f"as_{connection.vendor}", None) or node.as_sql
    return method(compiler, connection)


def compiled(node, compiler) -> Fragment:
    sql, params = compiler.compile(node)
    return Fragment(sql, tuple(params))


def can_bind(compiler, *nodes) -> bool:
    """Return whether these nodes may be computed in a subquery, see ``fill``."""
    return compiler.query.alias_cols and not any(
        node.contains_aggregate or node.contains_over_clause for node in nodes
    )
