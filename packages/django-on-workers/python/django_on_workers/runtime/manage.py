"""Runs a management command, as the project's ``manage.py`` would: in an interpreter of its own on somebody's machine,
or in the one that serves a deployed site, between requests.
"""

import io
import json
import os
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import Context

import django

from django_on_workers import _host

from . import console, locals, loggers, server

__all__ = ["run", "start"]

#: Commands that need what a Worker does not have, and what to use instead.
_INSTEAD = {
    "runserver": "django-on-workers dev serves the project",
    "testserver": "django-on-workers dev serves the project; load the fixtures with loaddata",
    "dbshell": "there is no client program here; wrangler d1 execute runs SQL on a D1 database",
    "makemessages": "it starts GNU gettext; run python manage.py makemessages",
    "compilemessages": "the build compiles every catalogue that is newer than its .mo file",
}

#: When a command began that was given variables, while it runs: one at a time may be.
_given_at: float | None = None
#: After so many seconds it has ended, or been given up by the platform, which says no word.
_LONGEST = 60


def start(request_id: int, config: str) -> None:
    """Start the project, as :func:`.server.start` does, for a command: its settings see the command's arguments."""
    Context().run(_start, request_id, config)


def run(request_id: int, config: str) -> int:
    """Run the command that `config` describes and return its exit code.

    `config` is JSON: ``argv`` (without the program), ``variables`` (for this command), ``input`` (what standard input
    has, or None), ``environment`` (the Worker's), ``django`` (the manifest's).
    """
    return Context().run(_run, request_id, config)


def _start(request_id: int, config: str) -> None:
    with _command(request_id, json.loads(config)):
        server.start(request_id, config)


def _run(request_id: int, config: str) -> int:
    locals.begin()
    _host.current_request.set(request_id)
    try:
        with _command(request_id, json.loads(config)) as argv:
            _execute(config, argv)
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


@contextmanager
def _command(request_id: int, config: dict) -> Iterator[list[str]]:
    """Be as a process of the command's own: its output, arguments, variables and input. Yields the arguments.

    In what is left of the context output goes to the command's caller.
    """
    console.command.set(request_id)
    argv = ["manage.py", *config["argv"]]
    stdin = sys.stdin if config["input"] is None else io.StringIO(config["input"])
    with _variables(config["variables"]), _replaced("argv", argv), _replaced("stdin", stdin):
        yield argv


def _execute(config: str, argv: list[str]) -> None:
    command = argv[1] if len(argv) > 1 else ""
    if command in _INSTEAD:
        raise SystemExit(f"{command} cannot run inside the runtime: {_INSTEAD[command]}.")
    if server.has_failed():
        # As manage.py would, which needs no WSGI module; it may be what mends the site.
        server.begin(config)
        django.setup()
        loggers.started()
    from django.core.management import execute_from_command_line

    with _already_set_up():
        execute_from_command_line(argv)


@contextmanager
def _already_set_up() -> Iterator[None]:
    """Keep Django's next ``setup()`` from setting up again, which would configure logging a second time."""
    setup = django.setup

    def already(set_prefix: bool = True) -> None:
        django.setup = setup

    django.setup = already
    try:
        yield
    finally:
        django.setup = setup


@contextmanager
def _variables(given: dict[str, str]) -> Iterator[None]:
    """Have these in the environment for the time being."""
    global _given_at
    if not given:
        yield
        return
    if _given_at is not None and time.monotonic() - _given_at < _LONGEST:
        raise SystemExit(
            "Another command that was given variables is running here. Try again when it has ended."
        )
    before = {name: os.environ.get(name) for name in given}
    _given_at = time.monotonic()
    os.environ.update(given)
    try:
        yield
    finally:
        _given_at = None
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _replaced(name: str, value) -> Iterator[None]:
    """Have this in ``sys`` for the time being: settings look for ``"test" in sys.argv``."""
    before = getattr(sys, name)
    setattr(sys, name, value)
    try:
        yield
    finally:
        setattr(sys, name, before)
