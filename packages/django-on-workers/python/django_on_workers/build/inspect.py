"""Learns from a project, with its real environment, what the build must know, and collects its static files."""

import json
import os
import sys
import traceback

from django_on_workers.runtime import adaptations, settings

from . import environment

__all__ = ["inspect_project"]


def inspect_project(config: str) -> str:
    """Import the project and run ``collectstatic``.

    `config` is JSON: ``settings_module``, ``database``, ``environment``, ``project_root``. Returns JSON, either
    ``{"error": {"stage", "traceback"}}`` or the facts: ``static_url``, ``static_root``, ``collected`` (whether there
    are files), ``environment`` (names that the project reads), ``modules`` (files of the project that were imported),
    ``django``, ``languages``, ``wsgi``.
    """
    parsed = json.loads(config)
    root = parsed["project_root"]
    os.environ.update(parsed["environment"])
    recording = environment.install(root)
    os.chdir(root)
    sys.path[:0] = [root]
    stage = "settings"
    try:
        adaptations.apply()
        settings.first_read(parsed["settings_module"], parsed["database"], root)
        stage = "project"
        import django

        django.setup()
        stage = "collectstatic"
        collected = _collect()
    except BaseException as error:
        text = str(error) if isinstance(error, SystemExit) else ""
        return json.dumps({"error": {"stage": stage, "traceback": text + traceback.format_exc()}})
    from django.conf import settings as values

    return json.dumps(
        {
            "django": django.get_version(),
            "static_url": str(values.STATIC_URL or ""),
            "static_root": str(values.STATIC_ROOT),
            "collected": collected,
            "environment": sorted(recording.names),
            "languages": [code for code, _ in values.LANGUAGES],
            "wsgi": values.WSGI_APPLICATION,
            "modules": sorted(
                file
                for module in list(sys.modules.values())
                if (file := getattr(module, "__file__", None)) and file.startswith(f"{root}/")
            ),
        }
    )


def _collect() -> bool:
    """Whether static files were collected to a folder: there are none without the app or on a remote storage."""
    from django.apps import apps
    from django.core.files.storage import FileSystemStorage
    from django.core.management import call_command

    if not apps.is_installed("django.contrib.staticfiles"):
        return False
    from django.contrib.staticfiles.storage import staticfiles_storage

    if not isinstance(staticfiles_storage, FileSystemStorage):
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    return True
