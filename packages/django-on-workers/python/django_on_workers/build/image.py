"""Prepares the interpreter whose memory becomes the image."""

import gc
import json
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from importlib import import_module

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
from .side_effects import SideEffects
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

    def withhold(values: dict) -> None:
        for name in shapes:
            assumptions[name][1].update(placeholders.settings_of(name, values))
        # The key may come from a variable that only the running Worker has.
        placeholders.withhold(values, ("SECRET_KEY",) if recording.readers else ())
        values.update(decisions)
        tainted.update(name for name, value in values.items() if placeholders.within(value))
        recording.forget()
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
    effects = SideEffects(root, made)
    try:
        import django

        django.setup()
        loggers.repeated()
        reads.setting_up = effects.setting_up = False
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
        effects.stop()
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
    application = modules[0]
    if effect := effects.found(settings.modules()):
        # What holds the application may do all that: it runs in every start.
        only_application = effect.modules in (None, {application})
        return _refusal(effect.reason, parsed["application"] and only_application)
    # A name that this environment does not have the running Worker's may have, and a default would stay in its place.
    varying = {
        name for name in set().union(*readers.values()) if FIELD.search(shapes.get(name, TEXT))
    }
    found = _among(readers, varying)
    unset = _among(readers, varying - shapes.keys())
    if unset or set(found) == {application}:
        only_application = set(found) == {application}
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
