import django.db.models.deletion
from django.db import migrations, models


def key():
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            "Tag",
            [("id", key()), ("word", models.CharField(max_length=30, unique=True))],
        ),
        migrations.CreateModel(
            "Author",
            [
                ("id", key()),
                ("name", models.CharField(max_length=50)),
                (
                    "mentor",
                    models.ForeignKey(
                        "library.author", django.db.models.deletion.SET_NULL, null=True
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            "Book",
            [
                ("id", key()),
                ("title", models.CharField(max_length=100)),
                (
                    "author",
                    models.ForeignKey("library.author", django.db.models.deletion.CASCADE),
                ),
                ("tags", models.ManyToManyField("library.tag")),
                ("price", models.DecimalField(decimal_places=2, default="9.50", max_digits=7)),
            ],
        ),
        migrations.CreateModel(
            "Loan",
            [
                (
                    "book",
                    models.OneToOneField(
                        "library.book",
                        django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("since", models.DateTimeField()),
            ],
        ),
    ]
