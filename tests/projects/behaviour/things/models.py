from django.db import models


class Thing(models.Model):
    name = models.CharField(max_length=100, unique=True)
    amount = models.IntegerField(default=0)

    def __str__(self):
        return self.name
