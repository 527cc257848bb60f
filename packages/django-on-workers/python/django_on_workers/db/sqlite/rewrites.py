"""
Expressions and lookups that need other SQL here than Django's own.

``REWRITES`` maps a class of Django's to a function of its signature, ``(node,
compiler, connection) -> (sql, params)``. A subclass that has its own
``as_sql`` or ``as_sqlite`` keeps it.
"""

from functools import cache

from django.db.models import aggregates, functions, lookups
from django.db.models.expressions import CombinedExpression, DurationExpression
from django.db.models.fields import json as json_field
from django.db.models.fields import related_lookups
from django.db.models.functions import datetime as datetime_functions
from django.db.models.sql.where import WhereNode

from . import arithmetic, matching, statistics, text
from .conditions import compile_in, compile_where

REWRITES = {
    WhereNode: compile_where,
    lookups.In: compile_in,
    related_lookups.RelatedIn: compile_in,
    json_field.KeyTransformIExact: matching.iexact,
    lookups.Contains: matching.contains,
    lookups.IContains: matching.contains,
    lookups.StartsWith: matching.startswith,
    lookups.IStartsWith: matching.startswith,
    lookups.EndsWith: matching.endswith,
    lookups.IEndsWith: matching.endswith,
    lookups.IExact: matching.iexact,
    lookups.Regex: matching.regex,
    lookups.IRegex: matching.regex,
    CombinedExpression: arithmetic.combined,
    DurationExpression: arithmetic.duration,
    datetime_functions.Extract: arithmetic.temporal,
    datetime_functions.TruncBase: arithmetic.temporal,
    datetime_functions.TruncDate: arithmetic.temporal,
    datetime_functions.TruncTime: arithmetic.temporal,
    functions.Ceil: arithmetic.renamed("CEIL"),
    functions.Power: arithmetic.renamed("POW"),
    functions.Cot: arithmetic.cot,
    functions.Random: arithmetic.random,
    functions.LPad: text.lpad,
    functions.RPad: text.rpad,
    functions.Repeat: text.repeat,
    functions.Reverse: text.reverse,
    functions.MD5: text.unsupported,
    functions.SHA1: text.unsupported,
    functions.SHA224: text.unsupported,
    functions.SHA256: text.unsupported,
    functions.SHA384: text.unsupported,
    functions.SHA512: text.unsupported,
    aggregates.StdDev: statistics.stddev,
    aggregates.Variance: statistics.variance,
}
# Since Django 6.0 and 6.1.
for module, name, rewrite in (
    (aggregates, "AnyValue", statistics.any_value),
    (aggregates, "BitAnd", statistics.bitwise),
    (aggregates, "BitOr", statistics.bitwise),
    (aggregates, "BitXor", statistics.bitwise),
    (functions, "UUID4", text.uuid4),
    (functions, "UUID7", text.uuid7),
):
    if hasattr(module, name):
        REWRITES[getattr(module, name)] = rewrite


@cache
def rewrite_for(cls: type):
    """Return the function that compiles nodes of this class, None where Django's own SQL does."""
    for base in cls.__mro__:
        if base in REWRITES:
            return REWRITES[base]
        if "as_sql" in base.__dict__ or "as_sqlite" in base.__dict__:
            return None
    return None
