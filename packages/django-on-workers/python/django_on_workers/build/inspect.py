"""Learns from a project, with its real environment, what the build must know, and collects its static files."""

import io
import json
import logging
import os
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout

from django_on_workers.runtime import adaptations, settings

from . import environment
from .placeholders import FIELD, TEXT, Placeholders

__all__ = ["inspect_project"]


def inspect_project(config: str) -> str:
    """Import the project and run ``collectstatic``.

    `config` is JSON: ``settings_module``, ``database``, ``environment``, ``shapes`` of its values, ``opposites`` of
    those that are words (``src/build/shapes.ts``), ``project_root``. Returns JSON, either
    ``{"error": {"stage", "traceback"}}`` or the facts: ``static_url``, ``static_root``, ``collected`` (whether there
    are files), ``environment`` (names that the project reads), ``modules`` (files of the project that were imported),
    ``imported`` (modules of others that the settings have imported, in that order), ``known`` (those of the names
    whose value the settings' own code has in it, to compare it with, say: that is no secret), ``django``,
    ``languages``, ``wsgi``, ``failure`` (of the settings when they run a second time), ``alternatives`` (variables that
    the settings read; null where it is not set, its value where the image may hold that, true otherwise; and the
    settings that are others where the variable is), ``decided`` (by name, of those settings the ones that follow from a
    value that is to be hidden and don't show it, because they compare it, say: what they are if that is true or false,
    else null).
    """
    parsed = json.loads(config)
    root = parsed["project_root"]
    os.environ.update(parsed["environment"])
    recording = environment.install(root)
    os.chdir(root)
    sys.path[:0] = [root]
    stage = "settings"
    shapes = parsed["shapes"]
    try:
        adaptations.apply()
        before = set(sys.modules)
        settings.first_read(parsed["settings_module"], parsed["database"], root)
        imported = [name for name in sys.modules if name not in before and not _is_own(name, root)]
        names = set().union(*recording.readers.values()) - {"DJANGO_SETTINGS_MODULE"}
        texts = settings.named()
        known = sorted(
            name
            for name in names & shapes.keys()
            if shapes[name] == TEXT and os.environ[name].lower() in texts
        )
        stage = "project"
        import django
        from django.apps import apps
        from django.db import DatabaseError

        try:
            django.setup()
        except DatabaseError:
            # An app's ready() needs a database. The Worker has one.
            if not apps.models_ready:
                raise
        stage = "collectstatic"
        collected = _collect()
    except BaseException as error:
        text = str(error) if isinstance(error, SystemExit) else ""
        return json.dumps({"error": {"stage": stage, "traceback": text + traceback.format_exc()}})
    from django.conf import settings as values

    modules = sorted(
        sys.modules[name].__file__ for name in list(sys.modules) if _is_own(name, root)
    )
    # Before the settings run again, with other values.
    read = sorted(recording.names)
    shapes.update({name: os.environ[name] for name in known})
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
            "imported": imported,
            "known": known,
            **_again(names, parsed, sorted(filter(str.isupper, vars(values._wrapped)))),
        }
    )


def _is_own(name: str, root: str) -> bool:
    """Whether a module is the project's."""
    return (getattr(sys.modules[name], "__file__", None) or "").startswith(f"{root}/")


#: Shapes that a variable may have which is not set; likely ones first.
_SHAPES = (TEXT, "{number}", "https://{host}")


def _again(names: set[str], parsed: dict, all_settings: list[str]) -> dict:
    """Run the settings again, also with other values. Nothing but the answer may come after it."""
    logging.disable()
    failure = None

    def run() -> dict | None:
        nonlocal failure
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                return settings.run_modules_anew(parsed["settings_module"])
        except BaseException as error:  # they do not take the value
            failure = "".join(traceback.format_exception_only(error)).strip()
            return None

    def run_with(name: str, values: list[str]) -> dict | None:
        built = os.environ.get(name)
        for value in values:
            os.environ[name] = value
            if (found := run()) is not None:
                break
        os.environ.pop(name)
        if built is not None:
            os.environ[name] = built
        return found

    before, again = run(), run()
    if before is None or again is None:
        return {"failure": failure, "alternatives": [], "decided": {}}
    kinds = Placeholders(0), Placeholders(1)
    found = []
    decided = {}
    for name in sorted(names):
        built = os.environ.get(name)
        shape = None if built is None else parsed["shapes"].get(name, TEXT)
        hides = bool(shape and FIELD.search(shape))
        if opposite := parsed["opposites"].get(name):
            others = [opposite]
        else:
            others = [kinds[0].of_variable(name, each) for each in ([shape] if hides else _SHAPES)]
        values = run_with(name, others)
        if values is not None:
            depending = [
                setting
                for setting in sorted(before.keys() | values.keys())
                # What is another value each time may well hold one that is to be hidden.
                if (hides or settings.same(before.get(setting), again.get(setting)))
                and not settings.same(before.get(setting), values.get(setting))
            ]
        else:
            # They take no other value: any of them may hold one that is to be hidden.
            depending = all_settings if hides else []
        if depending:
            found.append((name, True if hides else built, depending))
        if hides and values is not None:
            replaced = run_with(name, [kinds[1].of_variable(name, shape)]) or {}
            for setting in depending:
                if settings.same(values.get(setting), replaced.get(setting)):
                    value = before.get(setting)
                    decided[setting] = value if isinstance(value, bool) else None
    return {"failure": None, "alternatives": found, "decided": decided}


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
