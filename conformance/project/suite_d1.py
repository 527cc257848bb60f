"""Two D1 databases."""

from suite_settings import *  # noqa: F403 - as settings are extended

DATABASES = {
    alias: {
        "ENGINE": "django_on_workers.db.d1",
        "NAME": binding,
        # Without transactions there is nothing to warn of in each of the tests.
        "OPTIONS": {"atomic": "ignore"},
    }
    for alias, binding in (("default", "DB"), ("other", "OTHER"))
}
