from django.db import models


class Fields(models.Model):
    """Ten fields with the primary key."""

    title = models.CharField(max_length=100)
    slug = models.SlugField(max_length=50)
    text = models.TextField()
    number = models.IntegerField()
    price = models.DecimalField(max_digits=8, decimal_places=2)
    ratio = models.FloatField()
    active = models.BooleanField()
    created = models.DateTimeField()
    day = models.DateField()

    class Meta:
        abstract = True


class Record(Fields):
    """What is read."""

    def __str__(self):
        return self.title


class Written(Fields):
    """What is written, and taken away between measurements."""
