"""What makes the suite bearable on a database without transactions.

There, Django empties all tables after each test and sends ``post_migrate``, whose receivers make content types,
permissions and a site in some forty statements. What they made the first time is put back in one batch instead.
"""

from django.apps import apps
from django.core.management.commands import flush
from django.core.management.sql import emit_post_migrate_signal
from django.db import connections
from django.db.models.signals import post_migrate

__all__ = ["install"]

#: Statements that make the rows again, by database, installed apps and receivers.
_made: dict[tuple, list[str]] = {}


def install() -> None:
    """Put rows back where the ``flush`` command would send ``post_migrate``."""
    flush.emit_post_migrate_signal = _restore


def _restore(verbosity, interactive, db, **kwargs):
    connection = connections[db]
    if connection.features.supports_transactions:
        emit_post_migrate_signal(verbosity, interactive, db, **kwargs)
        return
    receivers = tuple(receiver[0] for receiver in post_migrate.receivers)
    key = (db, tuple(apps.app_configs), receivers)
    if key in _made:
        if apps.is_installed("django.contrib.contenttypes"):
            apps.get_model("contenttypes", "ContentType").objects.clear_cache()
        if apps.is_installed("django.contrib.sites"):
            apps.get_model("sites", "Site").objects.clear_cache()
        connection.execute_all(_made[key])
    else:
        emit_post_migrate_signal(verbosity, interactive, db, **kwargs)
        _made[key] = _statements(connection)


def _statements(connection) -> list[str]:
    quote = connection.ops.quote_name
    statements = []
    with connection.cursor() as cursor:
        for table in connection.introspection.django_table_names(only_existing=True):
            cursor.execute(f"SELECT * FROM {quote(table)}")
            names = ", ".join(quote(column[0]) for column in cursor.description)
            statements += [
                f"INSERT INTO {quote(table)} ({names}) VALUES ({', '.join(map(_literal, row))})"
                for row in cursor.fetchall()
            ]
    return statements


def _literal(value) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
