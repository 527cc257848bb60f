"""Settings for Django's own suite: ``runtests.py --settings=tests.db.suite_d1``."""

import django

ENGINE = "tests.db.backends.d1"
DATABASES = {
    alias: {"ENGINE": ENGINE, "NAME": alias, "OPTIONS": {"atomic": "ignore"}}
    for alias in ("default", "other")
}
SECRET_KEY = "django_tests_secret_key"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
if django.VERSION < (6, 0):
    DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
