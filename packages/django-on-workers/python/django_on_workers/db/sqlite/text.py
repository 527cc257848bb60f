"""Text functions."""

from django.db import NotSupportedError

from .fragments import can_bind, compiled, fill

# hex(zeroblob(n)) is n times "00".
REPEATED = "replace(hex(zeroblob({1})), '00', {%d})"


def _filled(node, compiler, template):
    values = [compiled(source, compiler) for source in node.get_source_expressions()]
    return fill(template, *values, bind=can_bind(compiler, *node.get_source_expressions()))


def lpad(node, compiler, connection):
    return _filled(
        node,
        compiler,
        "CASE WHEN {2} IS NULL THEN NULL WHEN length({0}) >= {1} THEN substr({0}, 1, {1}) "
        f"ELSE substr({REPEATED % 2}, 1, {{1}} - length({{0}})) || {{0}} END",
    )


def rpad(node, compiler, connection):
    return _filled(node, compiler, f"substr({{0}} || {REPEATED % 2}, 1, {{1}})")


def repeat(node, compiler, connection):
    return _filled(node, compiler, f"CASE WHEN {{1}} IS NOT NULL THEN {REPEATED % 0} END")


def reverse(node, compiler, connection):
    if not can_bind(compiler, node):
        raise NotSupportedError("Reverse is not supported in constraints, indexes and aggregates.")
    (source,) = node.get_source_expressions()
    sql, params = compiled(source, compiler)
    return (
        "(WITH RECURSIVE reversed(done, rest) AS ("
        f"SELECT '', CAST({sql} AS TEXT) UNION ALL "
        "SELECT substr(rest, 1, 1) || done, substr(rest, 2) FROM reversed WHERE rest <> '') "
        "SELECT done FROM reversed WHERE rest = '')",
        params,
    )


def unsupported(node, compiler, connection):
    raise NotSupportedError(
        f"{node.__class__.__name__} is not supported: SQLite on Workers has no hash functions."
    )


# Random hexadecimal digits; the first digit of the fourth group says which kind of UUID it is.
VARIANT = "substr('89AB', (random() & 3) + 1, 1) || substr(hex(randomblob(2)), 2)"


def uuid4(node, compiler, connection):
    return (
        "lower(hex(randomblob(6)) || '4' || substr(hex(randomblob(2)), 2) || "
        f"{VARIANT} || hex(randomblob(6)))",
        (),
    )


def uuid7(node, compiler, connection):
    if node.get_source_expressions():
        raise NotSupportedError(
            "The shift argument to UUID7 is not supported on this database backend."
        )
    # Milliseconds since 1970 in 48 bits; the Julian day of 1970 is 2440587.5.
    return (
        "lower("
        "printf('%%012x', CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)) || '7' || "
        f"substr(hex(randomblob(2)), 2) || {VARIANT} || hex(randomblob(6)))",
        (),
    )
