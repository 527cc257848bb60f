from django.db import models


class Draft(models.Model):
    """Has no migration yet."""

    text = models.TextField(db_index=True)
