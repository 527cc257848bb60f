from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("blog", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="post",
            name="cover",
            field=models.CharField(
                choices=[
                    ("hills", "Hills"),
                    ("leaves", "Leaves"),
                    ("plates", "Plates"),
                    ("tiles", "Tiles"),
                    ("waves", "Waves"),
                ],
                default="hills",
                max_length=10,
                verbose_name="cover art",
            ),
        ),
        migrations.AddField(
            model_name="post",
            name="reading_minutes",
            field=models.PositiveSmallIntegerField(
                default=1, editable=False, verbose_name="minutes to read"
            ),
        ),
    ]
