"""What the first request would pay for and what depends on no data, done before the image is taken.

No database can be reached meanwhile, so nothing that a project keeps can come from one.
"""

import datetime
import io
import logging
import re
import sys
from contextvars import Context
from importlib import import_module
from pathlib import Path

from django_on_workers.runtime import locals

__all__ = ["warm"]

#: How often queries and requests are done: CPython puts faster instructions into code that ran a few times (PEP 659).
_ROUNDS = 4


def warm(application: str) -> None:
    """Import, compile and run what requests share.

    `application` is the project's WSGI application, ``module:attribute``, or empty for one of Django's in its place.
    """
    from django.conf import settings

    _import_named(settings)
    _urls()
    if settings.USE_I18N:
        _catalogues(settings)
    _time_zones(settings)
    _templates()
    _queries()
    _requests(application)


def _import_named(settings) -> None:
    """Modules that settings name and that Django imports when they are first used."""
    names = [
        *settings.MIDDLEWARE,
        *settings.AUTHENTICATION_BACKENDS,
        *settings.FILE_UPLOAD_HANDLERS,
        *settings.PASSWORD_HASHERS[:1],
        settings.FORM_RENDERER,
        f"{settings.SESSION_ENGINE}.SessionStore",
        settings.SESSION_SERIALIZER,
        *(cache["BACKEND"] for cache in settings.CACHES.values()),
        *(storage["BACKEND"] for storage in settings.STORAGES.values()),
        *(
            processor
            for template in settings.TEMPLATES
            for processor in template.get("OPTIONS", {}).get("context_processors", ())
        ),
    ]
    for name in names:
        _try(import_module, name.rpartition(".")[0])


def _try(function, *args):
    """Call `function`; what fails here fails again where it is needed, and says so there."""
    try:
        return function(*args)
    except Exception:
        return None


def _urls() -> None:
    from django.urls import get_resolver

    resolver = get_resolver()
    _walk(resolver)
    _reversible(resolver)


def _reversible(resolver, prefix="", converters=()) -> None:
    """Compile the patterns that reverse() checks, as it does: behind the prefix of a site at the root.

    Names in a namespace it looks up in a resolver that it makes once of the namespace's prefix and converters.
    """
    from django.urls.resolvers import get_ns_resolver

    found = get_ns_resolver(prefix, resolver, converters) if prefix else resolver
    for _, candidates in found.reverse_dict.lists():
        for _, pattern, _, _ in candidates:
            _try(re.compile, f"^/{pattern}")
    for extra, inner in resolver.namespace_dict.values():
        of_both = {**dict(converters), **inner.pattern.converters}
        _try(_reversible, inner, prefix + extra, tuple(of_both.items()))


def _walk(resolver) -> None:
    """Populate every resolver, so that reverse() and resolve() find their tables ready."""
    resolver._populate()
    for pattern in resolver.url_patterns:
        if hasattr(pattern, "url_patterns"):
            _walk(pattern)
        else:
            pattern.pattern.regex  # noqa: B018 - compiles it


def _catalogues(settings) -> None:
    from django.utils import formats, translation
    from django.utils.translation import trans_real

    # Without LANGUAGES of its own a project has Django's hundred: load the one that it names.
    languages = [code for code, _ in settings.LANGUAGES]
    for code in languages if len(languages) <= 8 else [settings.LANGUAGE_CODE]:
        trans_real.translation(code)
        with translation.override(code):
            formats.date_format(datetime.date(2026, 1, 1))
            formats.number_format(1)


def _time_zones(settings) -> None:
    from zoneinfo import ZoneInfo

    for name in {"UTC", settings.TIME_ZONE}:
        _try(ZoneInfo, name)


def _templates() -> None:
    """Compile every template that the loaders can see. One that does not compile will say so when it is used."""
    from django.template import engines

    for engine in engines.all():
        for folder in map(Path, engine.template_dirs):
            for path in sorted(folder.rglob("*")):
                if path.suffix in (".html", ".txt", ".xml") and path.is_file():
                    _try(engine.get_template, str(path.relative_to(folder)))


def _queries() -> None:
    """Compile a query of each kind for each model: the backend's modules, and what Django keeps for a model."""
    from django.apps import apps
    from django.db import connection
    from django.db.models import Count, sql

    for model in [*apps.get_models()] * _ROUNDS:
        queryset = model._base_manager.all()
        for query in (
            queryset.query,
            queryset.filter(pk__in=[1]).order_by("-pk")[:1].query,
            queryset.annotate(number=Count("pk")).query,
            sql.DeleteQuery(model),
        ):
            _try(lambda query=query: query.get_compiler(connection=connection).as_sql())
            # Expressions are compared by the signatures of their classes, which are looked up once.
            _try(lambda query=query: set(query.annotations.values()))


def _requests(application: str) -> None:
    """Send requests that need no data through an application, middleware and all."""
    from django.apps import apps

    paths = ["/django-on-workers-warms-up/"]
    if apps.is_installed("django.contrib.admin"):
        from django.urls import reverse

        login = _try(reverse, "admin:login")
        if login is not None:
            paths.append(login)
    module, _, attribute = application.partition(":")
    previous = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        before = set(sys.modules)
        Context().run(_serve, module, attribute, paths)
        # The module reads the real settings when the Worker starts.
        for name in set(sys.modules) - before:
            if name == module:
                del sys.modules[name]
                package, _, child = name.rpartition(".")
                if package in sys.modules:
                    vars(sys.modules[package]).pop(child, None)
    finally:
        logging.disable(previous)
    _forget_caches()


def _serve(module: str, attribute: str, paths: list[str]) -> None:
    from django.core.handlers.wsgi import WSGIHandler

    locals.begin()
    application = _try(
        lambda: getattr(import_module(module), attribute) if module else WSGIHandler()
    )
    if application is None:
        return
    for path in paths * _ROUNDS:
        environ = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        response = _try(application, environ, lambda status, headers, exc_info=None: None)
        if response is not None:
            _try(lambda response=response: (b"".join(response), response.close()))


def _forget_caches() -> None:
    from django.core.cache import caches
    from django.core.cache.backends import locmem

    for alias in list(caches.settings):
        _try(lambda alias=alias: delattr(caches._connections, alias))
    locmem._caches.clear()
    locmem._expire_info.clear()
