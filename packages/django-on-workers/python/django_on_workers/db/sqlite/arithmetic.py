"""Numbers, durations and parts of dates."""

from django.core.exceptions import FieldError
from django.db import DatabaseError
from django.db.models.expressions import Combinable, DurationExpression

from . import dates
from .fragments import Fragment, can_bind, compile_as_django, compiled, fill


def renamed(function: str):
    """Return a rewrite for a function that is here under another name."""

    def rewrite(node, compiler, connection):
        return node.as_sqlite(compiler, connection, function=function)

    return rewrite


def cot(node, compiler, connection):
    return node.as_sqlite(compiler, connection, template="(1 / TAN(%(expressions)s))")


def random(node, compiler, connection):
    # As many bits as a real number holds, so that 1 is never reached.
    return "((RANDOM() & 9007199254740991) / 9007199254740992.0)", ()


def combined(node, compiler, connection):
    if node.connector != Combinable.BITXOR:
        return compile_as_django(node, compiler, connection)
    return fill(
        "(({0} | {1}) - ({0} & {1}))",
        compiled(node.lhs, compiler),
        compiled(node.rhs, compiler),
        bind=can_bind(compiler, node),
    )


def temporal(node, compiler, connection):
    """Compile a part of a date or time, without subqueries where there can't be any."""
    if can_bind(compiler, node.lhs):
        return compile_as_django(node, compiler, connection)
    with connection.ops.without_subqueries():
        return compile_as_django(node, compiler, connection)


def internal_type(node) -> str | None:
    try:
        return node.output_field.get_internal_type()
    except (AttributeError, FieldError):
        return None


MOMENTS = {"DateField", "DateTimeField", "TimeField"}


def duration(node, compiler, connection):
    """Compile a date or time plus or minus a duration, or a multiple of a duration."""
    left, right = internal_type(node.lhs), internal_type(node.rhs)
    if node.connector not in {Combinable.ADD, Combinable.SUB} or not MOMENTS & {left, right}:
        return compile_as_django(node, compiler, connection)
    connection.ops.check_expression_support(node)
    moment, sign, delta = summands(node)
    total = compiled(delta, compiler)
    # One sum of many durations; sums nested in sums would overflow SQLite's parser.
    while type(moment) is DurationExpression and internal_type(moment.lhs) == "DateTimeField":
        moment, inner_sign, delta = summands(moment)
        inner = compiled(delta, compiler)
        other = "-" if sign == "-" else "+"
        total = Fragment(
            f"{inner.sql} {other if inner_sign == '+' else MINUS[other]} ({total.sql})",
            (*inner.params, *total.params),
        )
        sign = inner_sign
    sql, params = dates.shift(
        compiled(moment, compiler), sign, total, bind=can_bind(compiler, node)
    )
    return f"({sql})", params


MINUS = {"+": "-", "-": "+"}


def summands(node):
    """Return the moment, the sign and the duration of a sum or a difference."""
    if internal_type(node.lhs) in MOMENTS:
        return node.lhs, node.connector, node.rhs
    if node.connector == Combinable.SUB:
        raise DatabaseError("A date can't be subtracted from a duration.")
    return node.rhs, node.connector, node.lhs
