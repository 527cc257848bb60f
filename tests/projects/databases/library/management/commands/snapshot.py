import json

from django.core.management.base import BaseCommand
from django.db import connection


class Command(BaseCommand):
    """Print all that a database holds, as JSON: definitions, rows and violations of foreign keys."""

    requires_system_checks = []

    def handle(self, *args, **options):
        quote = connection.ops.quote_name
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name, sql FROM sqlite_master WHERE substr(name, 1, 4) <> '_cf_'"
                " AND sql IS NOT NULL ORDER BY name"
            )
            definitions = dict(cursor.fetchall())
            found = {"definitions": definitions, "rows": {}}
            for name, sql in definitions.items():
                if sql.startswith("CREATE TABLE"):
                    # When a migration was applied, and how many were, differs from run to run.
                    columns = "app, name" if name == "django_migrations" else "*"
                    where = "name <> 'django_migrations'" if name == "sqlite_sequence" else "1"
                    cursor.execute(
                        f"SELECT {columns} FROM {quote(name)} WHERE {where} ORDER BY 1, 2"
                    )
                    found["rows"][name] = cursor.fetchall()
            cursor.execute("PRAGMA foreign_key_check")
            found["violations"] = cursor.fetchall()
        self.stdout.write(json.dumps(found))
