"""``logging`` with its levels on the console of the Worker."""

import logging
import sys

__all__ = ["ConsoleFallback", "emit"]

_LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"))


def level_name(levelno: int) -> str:
    """The method of JavaScript's ``console`` for a level of ``logging``."""
    for threshold, name in _LEVELS:
        if levelno >= threshold:
            return name
    return "debug"


def emit(handler: logging.Handler, record: logging.LogRecord) -> None:
    """Write `record` to the console as one message with its level."""
    from django_on_workers._host import host

    host.log(level_name(record.levelno), handler.format(record))
    record.django_on_workers_emitted = True


_stream_emit = logging.StreamHandler.emit


def stream_handler_emit(self, record):
    """Stands in for ``logging.StreamHandler.emit``: what goes to standard output or error keeps its level."""
    if self.stream is sys.stderr or self.stream is sys.stdout:
        try:
            emit(self, record)
        except RecursionError:
            raise
        except Exception:  # as logging does: a handler never breaks the code that logs
            self.handleError(record)
    else:
        _stream_emit(self, record)


class ConsoleFallback(logging.Handler):
    """On the root logger: errors reach the console even where a project's logging sends them nowhere.

    Django's default configuration sends errors by mail when DEBUG is off, and nowhere else.
    """

    def __init__(self):
        super().__init__(logging.WARNING)
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def emit(self, record):
        if not getattr(record, "django_on_workers_emitted", False):
            emit(self, record)
