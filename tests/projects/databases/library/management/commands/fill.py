from datetime import UTC, datetime

from django.core.management.base import BaseCommand
from django.db import connection
from django.db.migrations.loader import MigrationLoader


class Command(BaseCommand):
    """Write rows in the schema of the first migration."""

    requires_system_checks = []

    def handle(self, *args, **options):
        apps = MigrationLoader(connection).project_state(("library", "0001_initial")).apps
        Author, Book, Loan, Tag = (
            apps.get_model("library", name) for name in ("Author", "Book", "Loan", "Tag")
        )
        tags = [Tag.objects.create(word=f"tag {number}") for number in range(3)]
        last = None
        for number in range(5):
            last = Author.objects.create(name=f"Author {number}", mentor=last)
            for index in range(number):
                book = Book.objects.create(title=f"{'ABC'[index % 3]} {number}", author=last)
                book.tags.add(*tags[: index % 4])
                if index % 2:
                    Loan.objects.create(book=book, since=datetime(2026, 1, number, tzinfo=UTC))
        # Its id must not be given out again.
        Author.objects.create(pk=77, name="deleted").delete()
