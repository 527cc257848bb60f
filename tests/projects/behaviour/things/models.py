from django.conf import settings
from django.db import models

# As packages enter what their settings are by default.
settings.THINGS_LIMIT = getattr(settings, "THINGS_LIMIT", 12)
settings.THINGS_KINDS.append("late")


class Thing(models.Model):
    name = models.CharField(max_length=100, unique=True)
    amount = models.IntegerField(default=0)

    def __str__(self):
        return self.name
