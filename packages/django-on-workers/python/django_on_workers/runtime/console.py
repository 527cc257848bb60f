"""Standard output, standard error and ``logging``: the console of the Worker, or the caller of a management command."""

import io
import logging
import sys
from contextvars import ContextVar

__all__ = ["ConsoleFallback", "command", "emit", "install", "log"]

#: The request that is a management command: what is written in its context goes to whoever has called it.
command: ContextVar[int | None] = ContextVar("django_on_workers.command", default=None)

_LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"))


def level_name(levelno: int) -> str:
    """The method of JavaScript's ``console`` for a level of ``logging``."""
    for threshold, name in _LEVELS:
        if levelno >= threshold:
            return name
    return "debug"


def log(level: str, text: str) -> None:
    """Write a message to the console with the level of one of its methods, or to the caller's standard error."""
    from django_on_workers._host import host

    request = command.get()
    if request is None:
        host.log(level, text)
    else:
        host.output(request, "stderr", f"{text}\n")


class _Stream(io.TextIOBase):
    """Standard output or error."""

    encoding = "utf-8"

    def __init__(self, name: str, console: io.TextIOBase):
        self._name, self._console = name, console

    def __getattr__(self, name: str):
        return getattr(self._console, name)

    def isatty(self) -> bool:
        # Django asks at every start; what the base class does to find out is seldom needed otherwise.
        return False

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        request = command.get()
        if request is None:
            return self._console.write(text)
        from django_on_workers._host import host

        host.output(request, self._name, text)
        return len(text)

    def flush(self) -> None:
        self._console.flush()


def install() -> None:
    """Let standard output and error be the caller's in the context of a management command."""
    sys.stdout = _Stream("stdout", sys.stdout)
    sys.stderr = _Stream("stderr", sys.stderr)


def emit(handler: logging.Handler, record: logging.LogRecord) -> None:
    """Write `record` to the console as one message with its level."""
    log(level_name(record.levelno), handler.format(record))
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
        if getattr(record, "django_on_workers_emitted", False):
            return
        # A terminal shows what nobody handles, and no more.
        if command.get() is None or not _has_handlers(record.name):
            emit(self, record)


def _has_handlers(name: str) -> bool:
    """Whether a logger has other handlers than the fallback."""
    logger: logging.Logger | None = logging.getLogger(name)
    while logger is not None:
        if any(not isinstance(handler, ConsoleFallback) for handler in logger.handlers):
            return True
        logger = logger.parent if logger.propagate else None
    return False
