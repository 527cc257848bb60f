"""Prepares the interpreter whose memory becomes the image."""

import gc
import io
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from importlib import import_module
from pathlib import PurePosixPath

from django_on_workers.runtime import (
    adaptations,
    asgi,  # noqa: F401 - part of the image
    collection,
    console,
    entropy,
    locals,
    loggers,
    manage,  # noqa: F401 - part of the image
    server,
    settings,
)

from . import environment
from .placeholders import FIELD, TEXT, Placeholders
from .warm import warm

__all__ = ["prepare_image", "prepare_packages"]

#: Modules that every project uses and that need no settings: what can be in an image whatever the project does.
_GENERAL = """
django.apps django.conf django.contrib.messages.api django.core.cache django.core.files.uploadhandler
django.core.handlers.asgi django.core.handlers.wsgi django.core.mail django.core.management
django.core.management.commands.migrate django.core.paginator django.core.serializers.json django.core.signing
django.db.models django.db.migrations.executor django.dispatch django.forms django.http django.middleware.cache
django.middleware.clickjacking django.middleware.common django.middleware.csrf django.middleware.gzip
django.middleware.http django.middleware.locale django.middleware.security django.shortcuts
django.template.backends.django django.template.defaultfilters django.template.defaulttags
django.template.loader django.template.loaders.app_directories django.template.loaders.cached
django.template.loaders.filesystem django.templatetags.i18n django.templatetags.l10n django.templatetags.static
django.templatetags.tz django.urls django.utils.autoreload django.utils.cache django.utils.formats
django.utils.translation.trans_real django.views.csrf django.views.debug django.views.decorators.cache
django.views.decorators.csrf django.views.defaults django.views.generic django.views.i18n django.views.static
django_on_workers.db.d1.base django_on_workers.db.d1.driver django_on_workers.db.durable_object.base
django_on_workers.db.durable_object.driver sqlparse zoneinfo
""".split()


def prepare_packages(config: str, clear_unused: Callable[[], None], made: Callable[[], str]) -> str:
    """Import what every project uses. The steps of a project start from here; the arguments are not used."""
    collection.disable()
    console.install()
    adaptations.apply()
    _import_general()
    return "{}"


def prepare_image(config: str, clear_unused: Callable[[], None], made: Callable[[], str]) -> str:
    """Import the project and let go of what an image must not hold. Comes after :func:`prepare_packages`.

    `clear_unused` overwrites the memory that is free; `made` returns as JSON the paths of what was made in the file
    system.

    `config` is JSON: ``settings_module``, ``database``, ``project_root``, ``placeholders`` (their kind, see
    ``placeholders.py``), ``shapes`` (of the values of environment variables that the project reads), ``failure``,
    ``alternatives``, ``decided`` and ``imported`` (see ``inspect.py``), ``project`` (whether the project itself may be
    imported), ``applications`` (its WSGI and its ASGI application), ``application`` (whether the first may be run).

    Returns JSON: ``read``, names of variables that modules asked for besides the settings; ``suspicion``, why it can't
    be in an image if something was made of the placeholders, an empty text where nobody has read one; or instead of
    that ``reason``, why it can't be, and ``application``, whether only that application is why.
    """
    parsed = json.loads(config)
    root = parsed["project_root"]
    sys.path[:0] = [root]
    os.chdir(root)
    outcome = {"suspicion": "", "read": []}
    if parsed["project"]:
        placeholders = Placeholders(parsed["placeholders"])
        for name, shape in parsed["shapes"].items():
            os.environ[name] = placeholders.of_variable(name, shape)
        recording = environment.install(root)
        readers = recording.readers
        outcome = _prepare_project(
            parsed, root, placeholders, recording, clear_unused, lambda: set(json.loads(made()))
        )
        outcome["read"] = sorted(set().union(*readers.values()))
    if "reason" in outcome:
        gc.collect()
        return json.dumps(outcome)
    for name in parsed["shapes"]:
        os.environ.pop(name, None)
    entropy.remember()
    # Twice: the first round runs finalizers, which may let go of more.
    gc.collect()
    gc.collect()
    if parsed["project"]:
        _settle(placeholders, clear_unused)
        copies, kept = placeholders.take()
        if kept:
            return json.dumps(outcome | _refusal(_made(kept)))
        settings.fill_in_later(copies, outcome.pop("assumptions"), outcome.pop("decisions"))
        placeholders.clear()
    # Python keeps numbers that nobody needs until it collects all.
    gc.collect()
    sys.last_exc = None
    gc.freeze()
    return json.dumps(outcome)


def _import_general() -> None:
    for name in _GENERAL:
        import_module(name)
    _import_alone("django.test.signals")


def _import_alone(name: str) -> None:
    """Import a module without its package's ``__init__``, which brings in all of ``unittest``."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    package, _, _ = name.rpartition(".")
    parent = PathFinder.find_spec(package, sys.modules[package.rpartition(".")[0]].__path__)
    spec = PathFinder.find_spec(name, parent.submodule_search_locations)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)


def _refusal(reason: str, application: bool = False) -> dict:
    return {"reason": reason, "application": application}


def _prepare_project(
    parsed: dict,
    root: str,
    placeholders: Placeholders,
    recording: environment.RecordingEnviron,
    clear_unused: Callable[[], None],
    made: Callable[[], set[str]],
) -> dict:
    """Import the project under placeholders. Returns why it must not be in the image, or what it has read."""
    if parsed["failure"] is not None:
        return _refusal(
            "its settings fail when they run a second time, as they would in a start from an image: "
            + parsed["failure"]
        )
    shapes = parsed["shapes"]
    locals.begin()
    # What variables are, and which settings follow from them.
    assumptions: dict[str, tuple[str | bool | None, set[str]]] = {
        name: (True if FIELD.search(shape) else shape, set()) for name, shape in shapes.items()
    } | {name: (built, set(names)) for name, built, names in parsed["alternatives"]}
    # Settings that were decided by what a variable says: the image holds a yes or no, as it does of a variable.
    decisions = {name: value for name, value in parsed["decided"].items() if value is not None}
    undecided = parsed["decided"].keys() - decisions.keys()
    tainted = set().union(*(names for built, names in assumptions.values() if built is True))
    tainted -= parsed["decided"].keys()

    made_before: set[str] = set()

    def withhold(values: dict) -> None:
        for name in shapes:
            assumptions[name][1].update(placeholders.settings_of(name, values))
        # The key may come from a variable that only the running Worker has.
        placeholders.withhold(values, ("SECRET_KEY",) if recording.readers else ())
        values.update(decisions)
        tainted.update(name for name, value in values.items() if placeholders.within(value))
        recording.forget()
        made_before.update(made())
        _settle(placeholders, clear_unused)

    _settle(placeholders, clear_unused)
    # Nothing is to come where the settings let go of what they have made.
    for name in parsed["imported"]:
        with suppress(Exception):  # some can't be imported but by another
            import_module(name)
    try:
        settings.first_read(parsed["settings_module"], parsed["database"], root, withhold)
    except BaseException:
        return _refusal(
            "its settings can't be read in the build, where the environment has placeholders:\n"
            + traceback.format_exc()
        )
    reads = environment.SettingsReads(tainted.union(*(names for _, names in assumptions.values())))
    placeholders.asked, recording.given = reads.asked, placeholders.variable
    randomness = environment.RandomnessReads(root)
    try:
        import django

        django.setup()
        loggers.repeated()
        reads.setting_up = randomness.setting_up = False
        modules = [application.partition(":")[0] for application in parsed["applications"]]
        Context().run(_warm, parsed["applications"][0] if parsed["application"] else "")
        for module in modules:
            with suppress(Exception):  # fails again where it is imported, and says so there
                server.keep(module)
    except BaseException:
        return _refusal(
            "it can't be imported in the build, where the environment has placeholders and no database is in reach:\n"
            + traceback.format_exc()
        )
    finally:
        reads.stop()
        randomness.stop()
    readers = {
        module: names - {"DJANGO_SETTINGS_MODULE"} for module, names in recording.readers.items()
    }
    recording.become_plain()
    handlers = sys.modules.get("wsgiref.handlers")
    if handlers is not None:
        # A copy of the environment in which it was imported, for servers of its own. Many a package imports it.
        handlers.BaseHandler.os_environ = os.environ
    derived = settings.forget(lambda name, value: name in tainted or placeholders.within(value))
    if derived:
        return _refusal(
            f"{', '.join(derived)} is set from the environment after the settings have been read"
        )
    if randomness.modules:
        return _refusal(
            "what is random would be the same in every Worker, and it is asked for while the project is imported, by "
            f"{', '.join(sorted(randomness.modules))}. Ask for it where it is used",
            parsed["application"] and randomness.modules == {modules[0]},
        )
    if left := _left(root, made() - made_before):
        return _refusal(
            "files and folders that are made, or opened for longer, while the project is imported would be missing in "
            f"a Worker: {', '.join(left)}. Make or open them where they are used, or folders in the settings",
            parsed["application"],
        )
    if dated := _dated(root, {modules[0], *settings.modules()}):
        return _refusal(
            "the time would be that of the build in every Worker, and it is asked for while the project is imported, "
            f"by {', '.join(dated)}. Ask for it where it is used, or name a function for it"
        )
    # A name that this environment does not have the running Worker's may have, and a default would stay in its place.
    varying = {
        name for name in set().union(*readers.values()) if FIELD.search(shapes.get(name, TEXT))
    }
    found = _among(readers, varying)
    unset = _among(readers, varying - shapes.keys())
    if unset or set(found) == {modules[0]}:
        only_application = set(found) == {modules[0]}
        return _refusal(_captured(unset or found), parsed["application"] and only_application)
    # What both kinds of placeholders would be the same for.
    if alike := _among(reads.found, undecided) | reads.computed:
        return _refusal(_made(alike))
    suspects = _among(reads.found, tainted)
    for module, names in found.items():
        suspects.setdefault(module, []).extend(names)
    return {
        "suspicion": _made(suspects) if suspects else "",
        "assumptions": [
            (variable, built, sentences)
            for variable, (built, names) in assumptions.items()
            if (sentences := _readings(reads.found, names - decisions.keys(), readers, variable))
        ],
        "decisions": [
            (name, value, [f"{module} has read it" for module in readers_of])
            for name, value in decisions.items()
            if (readers_of := _among(reads.found, {name}))
        ],
    }


def _left(root: str, made: set[str]) -> list[str]:
    """What an import has left in the file system and an image does not have, but for logs: a start opens them anew."""
    gc.collect()
    handlers = [reference() for reference in logging._handlerList]
    logs = {each.baseFilename for each in handlers if isinstance(each, logging.FileHandler)}
    opened = {
        str(file.name)
        for file in gc.get_objects()
        if type(file) is io.FileIO and not file.closed and file.fileno() > 2
    }
    paths = {path for path in (made | opened) - logs if "/__pycache__" not in path}
    around = {parent for path in paths for parent in map(str, PurePosixPath(path).parents)}
    return sorted(path.removeprefix(f"{root}/") for path in paths - around)


def _dated(root: str, again: set[str]) -> list[str]:
    """Names of the project's modules that ask for the time when they are imported, but for those that run again."""
    before = set(sys.modules)
    from .clock import asks_for_time

    found = []
    for name, module in list(sys.modules.items()):
        ours = (getattr(module, "__file__", None) or "").startswith(f"{root}/")
        if ours and name not in again and asks_for_time(module.__spec__.loader.get_code(name)):
            found.append(name)
    # It stays out of the image.
    for name in sys.modules.keys() - before:
        del sys.modules[name]
    return sorted(found)


def _readings(
    settings_read: dict, names: set[str], variables_read: dict, variable: str
) -> list[str]:
    """Sentences on who has read a variable, or a setting of these names that follows from it."""
    indirect = _among(settings_read, names).items()
    return [
        *(f"{module} has read {', '.join(read)}" for module, read in indirect),
        *(f"{module} has read it" for module in _among(variables_read, {variable})),
    ]


def _settle(placeholders: Placeholders, clear_unused: Callable[[], None]) -> None:
    """Clear what was made of placeholders and is not needed: it would stay behind what is shorter and comes there."""
    placeholders.clear_caches()
    gc.collect()
    clear_unused()


def _among(found: dict[str, set[str]], names: set[str]) -> dict[str, list[str]]:
    """Of what modules have read only these names."""
    return {module: sorted(read & names) for module, read in sorted(found.items()) if read & names}


def _captured(found: dict[str, set[str]]) -> str:
    return (
        "the environment is read outside the settings while the project is imported, and the Worker's may be another: "
        f"{_readers(found)}. Read it in the settings or where it is used, or give it in .dev.vars or the Wrangler "
        "configuration (a secret under secrets.required), so that the build knows that it will be there"
    )


def _made(found: dict) -> str:
    return (
        "something is made of the environment while the project is imported: "
        f"{_readers(found)}. Make it where it is used"
    )


def _readers(found: dict) -> str:
    return "; ".join(
        f"{module} reads {', '.join(sorted(names))}" for module, names in sorted(found.items())
    )


def _warm(application: str) -> None:
    """In a context of its own: what a request activates or opens goes with it."""
    locals.begin()
    warm(application)
