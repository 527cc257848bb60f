from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("library", "0002_shelves")]
    operations = [
        migrations.AddField("book", "details", models.JSONField(default=dict)),
        migrations.AlterField("book", "title", models.CharField(db_index=True, max_length=100)),
        migrations.AddIndex("book", models.Index(fields=["author", "title"], name="by_author")),
    ]
