"""System checks."""

from django.core import checks
from django.db.backends.base.validation import BaseDatabaseValidation

#: Columns of a table, as compiled into workerd.
MAX_COLUMNS = 100


class DatabaseValidation(BaseDatabaseValidation):
    def check_field(self, field, **kwargs):
        """Check a field, and with the first one of a model the number of its columns."""
        errors = super().check_field(field, **kwargs)
        columns = field.model._meta.local_concrete_fields
        if len(columns) > MAX_COLUMNS and field is columns[0]:
            errors.append(
                checks.Error(
                    f"{field.model._meta.label} has {len(columns)} columns. A table has at most "
                    f"{MAX_COLUMNS} in SQLite on Workers.",
                    hint="Split the model in two, with a OneToOneField between them.",
                    obj=field.model,
                    id="django_on_workers.E001",
                )
            )
        return errors
