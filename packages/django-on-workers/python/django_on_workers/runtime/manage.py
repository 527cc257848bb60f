"""Runs a management command, as the project's ``manage.py`` would."""

import io
import json
import os
import sys
import traceback
from contextvars import Context

from django_on_workers import _host

from . import locals, loggers, server

__all__ = ["run"]

#: Commands that need what a Worker does not have, and what to use instead.
_INSTEAD = {
    "runserver": "django-on-workers dev serves the project",
    "testserver": "django-on-workers dev serves the project; load the fixtures with loaddata",
    "dbshell": "there is no client program here; wrangler d1 execute runs SQL on a D1 database",
    "makemessages": "it starts GNU gettext; run python manage.py makemessages",
    "compilemessages": "the build compiles every catalogue that is newer than its .mo file",
}


class _Output(io.TextIOBase):
    """Text that goes to the caller of the command as it is written."""

    encoding = "utf-8"

    def __init__(self, name: str):
        self._name = name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        _host.host.output(self._name, text)
        return len(text)


def run(request_id: int, config: str) -> int:
    """Run the command that `config` describes and return its exit code.

    `config` is JSON: ``argv`` (without the program), ``environment``, ``django`` (the manifest's), ``cwd``.
    """
    return Context().run(_run, request_id, json.loads(config))


def _set_up() -> None:
    """Set the project up, and keep the command from doing it again: that would configure logging another time."""
    import django

    setup = django.setup
    setup()
    loggers.started()

    def already(set_prefix: bool = True) -> None:
        django.setup = setup

    django.setup = already


def _run(request_id: int, config: dict) -> int:
    locals.begin()
    _host.current_request.set(request_id)
    argv = config["argv"]
    output, errors = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Output("stdout"), _Output("stderr")
    try:
        os.chdir(config["cwd"])
        if argv and argv[0] in _INSTEAD:
            print(f"{argv[0]} cannot run inside the runtime: {_INSTEAD[argv[0]]}.", file=sys.stderr)
            return 1
        server.begin(config["environment"], config["django"])
        _set_up()
        from django.core.management import execute_from_command_line

        execute_from_command_line(["manage.py", *argv])
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        print(error.code, file=sys.stderr)
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout, sys.stderr = output, errors
    return 0
