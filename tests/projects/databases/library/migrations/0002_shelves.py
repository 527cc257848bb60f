"""Rebuilds tables that others refer to, before and after code that reads and writes their rows."""

import django.db.models.deletion
from django.db import migrations, models


def count_and_shelve(apps, schema_editor):
    Author, Book, Shelf = (apps.get_model("library", name) for name in ("Author", "Book", "Shelf"))
    using = schema_editor.connection.alias
    for author in Author.objects.using(using).order_by("pk"):
        author.works = Book.objects.using(using).filter(author=author).count()
        author.save(using=using)
    for book in Book.objects.using(using).order_by("pk"):
        book.shelf, _ = Shelf.objects.using(using).get_or_create(letter=book.title[:1])
        book.save(using=using)


def clear_shelves(apps, schema_editor):
    using = schema_editor.connection.alias
    apps.get_model("library", "Book").objects.using(using).update(shelf=None)


class Migration(migrations.Migration):
    dependencies = [("library", "0001_initial")]
    operations = [
        migrations.RenameField("author", "name", "full_name"),
        migrations.AlterField("author", "full_name", models.TextField(unique=True)),
        migrations.AddField("author", "born", models.DateField(null=True)),
        migrations.AddField("author", "works", models.IntegerField(default=0)),
        migrations.CreateModel(
            "Shelf",
            [
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("letter", models.CharField(max_length=1, unique=True)),
            ],
        ),
        migrations.AddField(
            "book",
            "shelf",
            models.ForeignKey("library.shelf", django.db.models.deletion.PROTECT, null=True),
        ),
        migrations.RunPython(count_and_shelve, clear_shelves, elidable=False),
        migrations.AddConstraint(
            "author",
            models.CheckConstraint(condition=models.Q(works__gte=0), name="works_not_negative"),
        ),
    ]
