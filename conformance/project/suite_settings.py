"""What Django's suite expects of settings, as tests/test_sqlite.py has it. runtests.py sets the rest."""

import django

SECRET_KEY = "django_tests_secret_key"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
INSTALLED_APPS = [
    "conformance_runner",
    # Of those that runtests.py always installs, all but the one with static files to collect.
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sites",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.admin.apps.SimpleAdminConfig",
]
TEST_RUNNER = "conformance_runner.recording.RecordingRunner"
ROOT_URLCONF = "urls"
USE_TZ = False
if django.VERSION < (6, 0):
    DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
