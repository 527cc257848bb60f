"""Prepares the interpreter whose memory becomes the image."""

import gc
import json
import os
import sys
import traceback
from contextlib import suppress
from contextvars import Context
from types import FrameType

from django_on_workers.runtime import (
    adaptations,
    asgi,  # noqa: F401 - part of the image
    collection,
    entropy,
    locals,
    manage,  # noqa: F401 - part of the image
    server,
    settings,
)

from . import environment
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


def prepare_packages(config: str) -> str:
    """Import what every project uses. The steps of a project start from here; `config` is not read."""
    collection.disable()
    adaptations.apply()
    _import_general()
    return "{}"


def prepare_image(config: str) -> str:
    """Import the project and let go of what an image must not hold. Comes after :func:`prepare_packages`.

    `config` is JSON: ``settings_module``, ``database``, ``project_root``, ``names`` (environment variables that the
    project reads), ``booleans`` (those among them with a plain yes or no for a value, which is no secret and decides
    what a project imports), ``project`` (whether the project itself may be imported), ``applications`` (its WSGI and
    its ASGI application), ``application`` (whether the first may be run). Returns JSON: ``{"ok": true}`` or
    ``{"reason": …, "application": …}``, why the project can't be in an image, and whether only that application is why.
    """
    parsed = json.loads(config)
    root = parsed["project_root"]
    sys.path[:0] = [root]
    os.chdir(root)
    refusal = _prepare_project(parsed, root) if parsed["project"] else None
    if refusal is not None:
        return json.dumps(refusal)
    for name in parsed["names"]:
        os.environ.pop(name, None)
    entropy.remember()
    # Twice: the first round runs finalizers, which may let go of more.
    gc.collect()
    gc.collect()
    if parsed["project"]:
        holders = _holders(root)
        if holders:
            return json.dumps(_refusal(_captured(holders)))
    sys.last_exc = None
    _clear_free_memory()
    gc.freeze()
    return json.dumps({"ok": True})


def _clear_free_memory() -> None:
    """Overwrite freed memory with zeros: what is left in it from the imports would only be packed and unpacked."""
    # Objects up to 512 bytes come from pools of one size each, 16 bytes apart.
    header = bytes.__basicsize__
    for size in range(48, 513, 16):
        blocks = [bytes(size - header) for _ in range(262_144 // size)]
        blocks.clear()
    # Larger ones from wherever there is room; more of them would find none, and memory would grow by a fifth.
    held = []
    for size, count in ((1 << 16, 8), (1 << 14, 32), (1 << 12, 128), (1 << 10, 512)):
        held += [bytearray(size) for _ in range(count)]


def _import_general() -> None:
    from importlib import import_module

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


def _prepare_project(parsed: dict, root: str) -> dict | None:
    """Import the project under placeholders. Returns why it must not be in the image, if so."""
    booleans = parsed["booleans"]
    for name in parsed["names"]:
        os.environ[name] = booleans.get(name) or settings.placeholder(name)
    recording = environment.install(root)
    locals.begin()
    try:
        settings.first_read(parsed["settings_module"], parsed["database"], root)
    except BaseException:
        return _refusal(
            "its settings can't be read with placeholders for the environment:\n"
            + traceback.format_exc()
        )
    if recording.readers:
        # The key may come from a variable that only the running Worker has.
        settings.withhold_secret_key()
    recording.readers.clear()
    try:
        import django

        django.setup()
        modules = [application.partition(":")[0] for application in parsed["applications"]]
        Context().run(_warm, parsed["applications"][0] if parsed["application"] else "")
        for module in modules:
            with suppress(Exception):  # fails again where it is imported, and says so there
                server.keep(module)
    except BaseException:
        return _refusal(
            "it can't be imported with placeholders for the environment:\n" + traceback.format_exc()
        )
    # Also names that this environment does not have: the running Worker's may, and a default would stay in their place.
    readers = {
        module: names - booleans.keys() - {"DJANGO_SETTINGS_MODULE"}
        for module, names in recording.readers.items()
    }
    os.environ = _plain(recording)
    handlers = sys.modules.get("wsgiref.handlers")
    if handlers is not None:
        # A copy of the environment in which it was imported, for servers of its own. Many a package imports it.
        handlers.BaseHandler.os_environ = os.environ
    derived = settings.forget()
    if derived:
        return _refusal(
            f"{', '.join(derived)} is set from the environment after the settings have been read"
        )
    found = {module: names for module, names in readers.items() if names}
    if not found:
        return None
    return _refusal(_captured(found), parsed["application"] and set(found) == {modules[0]})


def _plain(recording):
    """An ordinary ``os.environ`` over the same data."""
    return os._Environ(
        recording._data,
        recording.encodekey,
        recording.decodekey,
        recording.encodevalue,
        recording.decodevalue,
    )


def _captured(found: dict[str, set[str]]) -> str:
    lines = [
        f"{module} reads {', '.join(sorted(names))}" for module, names in sorted(found.items())
    ]
    return (
        "the environment is read outside the settings while the project is imported: "
        + "; ".join(lines)
        + ". Read it in the settings, or where it is used"
    )


def _warm(application: str) -> None:
    """In a context of its own: what a request activates or opens goes with it."""
    locals.begin()
    warm(application)


def _holders(root: str) -> dict[str, set[str]]:
    """Which objects still hold a placeholder, by the module that they belong to."""
    found: dict[str, set[str]] = {}
    names = {
        id(vars(module)): name
        for name, module in list(sys.modules.items())
        if hasattr(module, "__dict__")
    }
    objects = gc.get_objects()
    for container in objects:
        for referent in gc.get_referents(container):
            if type(referent) is str and referent.startswith(settings.PLACEHOLDER + "-"):
                owner = _owner(container, names, objects)
                found.setdefault(owner, set()).add(
                    referent.removeprefix(settings.PLACEHOLDER + "-")
                )
    return found


def _owner(container, names: dict[int, str], objects: list) -> str:
    """The module that a container belongs to: whose namespace it is, or one that leads to it."""
    near = [container]
    for _ in range(4):
        for each in near:
            if id(each) in names:
                return names[id(each)]
        near = [
            each
            for each in gc.get_referrers(*near)
            if each is not objects and each is not near and type(each) is not FrameType
        ]
    return type(container).__module__
