"""Serves requests: what the HTTP bridge calls.

``start`` runs once in an interpreter, in its first request; ``serve`` for every request, each in a context of its own.
"""

import gc
import json
import logging
import os
import sys
import traceback
from contextvars import Context, copy_context
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from types import CodeType

from django_on_workers import _host

from . import asgi, collection, console, entropy, locals, loggers, settings, wsgi

__all__ = ["begin", "has_failed", "keep", "serve", "start"]

_serve_request = None
_failure: str | None = None
#: What an image knows of modules that it does not have.
_kept: dict[str, tuple[ModuleSpec, CodeType]] = {}


def start(request_id: int, config: str) -> None:
    """Give the interpreter what only the running Worker knows, and import what of the project the image has not.

    That may use databases and bindings, those of the request, and wait for them. `config` is JSON: ``environment``
    (names to strings) and the manifest's ``django``. A failure is kept and answered to every request; it is logged once
    here with its traceback.
    """
    global _failure
    try:
        begin(config)
        copy_context().run(_load_application, request_id, json.loads(config)["django"])
        loggers.started()
        log_to_console()
    except Exception:
        _failure = traceback.format_exc()
        console.log("error", f"The project could not be started.\n{_failure}")
    else:
        gc.freeze()


def begin(config: str) -> None:
    """What comes before ``django.setup()``: environment, randomness, settings. `config` is that of :func:`start`."""
    parsed = json.loads(config)
    _host.bind()
    os.environ.update(parsed["environment"])
    entropy.reseed()
    copy_context().run(_begin, parsed["django"])
    for sentence in settings.bound_databases():
        console.log("info", sentence)
    for sentence in settings.outdated():
        console.log("warn", sentence)


def _begin(django: dict) -> None:
    locals.begin()
    settings.read_again(django["settingsModule"], django["database"])


def has_failed() -> bool:
    """Whether the project could not be started."""
    return _failure is not None


def log_to_console() -> None:
    """Send to the console what a project's logging sends nowhere. Comes after ``django.setup()``, which resets it."""
    root = logging.getLogger()
    if not any(isinstance(handler, console.ConsoleFallback) for handler in root.handlers):
        root.addHandler(console.ConsoleFallback())


def _load_application(request_id: int, django: dict) -> None:
    """Import the project's own WSGI or ASGI module, in the context of a request."""
    global _serve_request
    from django.db import connections

    locals.begin()
    _host.current_request.set(request_id)
    module, _, attribute = django["application"].partition(":")
    application = getattr(_imported(module), attribute or "application")
    bridge = asgi if django["interface"] == "asgi" else wsgi
    _serve_request = bridge.server(application)
    connections.close_all()


def keep(name: str) -> None:
    """Take note of the code of a module that a start will import, if there is one: to find and load it takes longer."""
    spec = find_spec(name)
    if spec is not None and spec.loader is not None:
        _kept[name] = spec, spec.loader.get_code(name)


def _imported(name: str):
    """The module `name`, from the code that the image has of it, if any."""
    spec, code = _kept.pop(name, (None, None))
    if spec is None:
        return import_module(name)
    parent, _, child = name.rpartition(".")
    module = sys.modules[name] = module_from_spec(spec)
    try:
        exec(code, vars(module))
    except BaseException:
        del sys.modules[name]
        raise
    if parent:
        setattr(import_module(parent), child, module)
    return module


def serve(request_id: int, head: str) -> None:
    """Serve one request. `head` is the request line and headers, see :mod:`.head`. Answers through the host."""
    if _failure is not None:
        body = b"The project could not be started; its log says why.\n"
        head = _host.packed((request_id, 500, "content-type: text/plain; charset=utf-8"))
        _host.done(_host.calls.respond(head, body))
        return
    Context().run(_serve, request_id, head)


def _serve(request_id: int, head: str) -> None:
    locals.begin()
    _host.current_request.set(request_id)
    _serve_request(request_id, head)


collect = collection.collect
