from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("blog", "0003_fill_reading_minutes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="post",
            name="summary",
            field=models.CharField(
                help_text="One or two sentences for lists and feeds.",
                max_length=300,
                verbose_name="summary",
            ),
        ),
        migrations.AddIndex(
            model_name="post",
            index=models.Index(fields=["status", "-publish_at"], name="post_status_publish_at"),
        ),
    ]
