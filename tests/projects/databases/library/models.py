from django.db import models


class Tag(models.Model):
    word = models.CharField(max_length=30, unique=True)


class Author(models.Model):
    full_name = models.TextField(unique=True)
    mentor = models.ForeignKey("self", models.SET_NULL, null=True)
    born = models.DateField(null=True)
    works = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(works__gte=0), name="works_not_negative")
        ]


class Shelf(models.Model):
    letter = models.CharField(max_length=1, unique=True)


class Book(models.Model):
    title = models.CharField(max_length=100, db_index=True)
    author = models.ForeignKey(Author, models.CASCADE)
    tags = models.ManyToManyField(Tag)
    price = models.DecimalField(max_digits=7, decimal_places=2, default="9.50")
    details = models.JSONField(default=dict)
    shelf = models.ForeignKey(Shelf, models.PROTECT, null=True)

    class Meta:
        indexes = [models.Index(fields=["author", "title"], name="by_author")]


class Loan(models.Model):
    book = models.OneToOneField(Book, models.CASCADE, primary_key=True)
    since = models.DateTimeField()
