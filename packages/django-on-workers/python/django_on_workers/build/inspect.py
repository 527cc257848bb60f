"""Learns from a project, with its real environment, what the build must know, and collects its static files."""

import io
import json
import os
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout

from django_on_workers.runtime import adaptations, settings

from . import environment

__all__ = ["inspect_project"]


def inspect_project(config: str) -> str:
    """Import the project and run ``collectstatic``.

    `config` is JSON: ``settings_module``, ``database``, ``environment``, ``project_root``. Returns JSON, either
    ``{"error": {"stage", "traceback"}}`` or the facts: ``static_url``, ``static_root``, ``collected`` (whether there
    are files), ``environment`` (names that the project reads), ``modules`` (files of the project that were imported),
    ``django``, ``languages``, ``wsgi``, ``alternatives`` (variables that the settings read and that are not set or say
    yes or no, with that value or null, and the settings that are others where the variable is).
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
        names = set().union(*recording.readers.values()) - {"DJANGO_SETTINGS_MODULE"}
        stage = "project"
        import django

        django.setup()
        stage = "collectstatic"
        collected = _collect()
    except BaseException as error:
        text = str(error) if isinstance(error, SystemExit) else ""
        return json.dumps({"error": {"stage": stage, "traceback": text + traceback.format_exc()}})
    from django.conf import settings as values

    modules = sorted(
        file
        for module in list(sys.modules.values())
        if (file := getattr(module, "__file__", None)) and file.startswith(f"{root}/")
    )
    # Before the settings run again, with other values.
    read = sorted(recording.names)
    return json.dumps(
        {
            "django": django.get_version(),
            "static_url": str(values.STATIC_URL or ""),
            "static_root": str(values.STATIC_ROOT),
            "collected": collected,
            "environment": read,
            "languages": [code for code, _ in values.LANGUAGES],
            "wsgi": values.WSGI_APPLICATION,
            "modules": modules,
            "alternatives": _alternatives(names, parsed["settings_module"]),
        }
    )


#: What a variable says that is no secret, and its opposite; `BOOLEAN` in image.ts has the same words.
_OPPOSITES = {
    word: opposite
    for pair in (("0", "1"), ("false", "true"), ("no", "yes"), ("off", "on"))
    for word, opposite in (pair, pair[::-1])
}


def _alternatives(names: set[str], settings_module: str) -> list[tuple[str, str | None, list[str]]]:
    """Run the settings with other values. Nothing but the answer may come after it."""

    def run() -> dict | None:
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                return settings.run_modules_anew(settings_module)
        except BaseException:  # they do not take the value
            return None

    before, again = run(), run()
    if before is None or again is None:
        return []
    found = []
    for name in sorted(names):
        built = os.environ.get(name)
        alternative = "django-on-workers" if built is None else _OPPOSITES.get(built.lower())
        if alternative is None:
            continue
        os.environ[name] = alternative
        values = run()
        if built is None:
            del os.environ[name]
        else:
            os.environ[name] = built
        others = [
            setting
            for setting in sorted(before.keys() | (values or before).keys())
            if settings.same(before.get(setting), again.get(setting))
            and not settings.same(before.get(setting), (values or before).get(setting))
        ]
        if others:
            found.append((name, built, others))
    return found


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
