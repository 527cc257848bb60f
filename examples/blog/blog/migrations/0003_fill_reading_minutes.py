import math

from django.db import migrations

WORDS_PER_MINUTE = 180


def fill_reading_minutes(apps, schema_editor):
    Post = apps.get_model("blog", "Post")
    posts = Post.objects.using(schema_editor.connection.alias)
    for post in posts.only("body").order_by("pk").iterator():
        minutes = max(1, math.ceil(len(post.body.split()) / WORDS_PER_MINUTE))
        posts.filter(pk=post.pk).update(reading_minutes=minutes)


class Migration(migrations.Migration):
    dependencies = [
        ("blog", "0002_cover_and_reading_minutes"),
    ]

    operations = [
        migrations.RunPython(fill_reading_minutes, migrations.RunPython.noop, elidable=True),
    ]
