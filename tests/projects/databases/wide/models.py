from django.db import models


class Sheet(models.Model):
    """With its key, one column more than a table can have."""

    for number in range(100):
        locals()[f"column_{number}"] = models.IntegerField(null=True)
    del number
