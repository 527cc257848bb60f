"""What modules have done to loggers since logging was configured, for a Worker in which it is configured again.

In an image logging is configured, and the modules imported after that have made loggers, set levels and added handlers.
When a Worker starts from it, the settings run again and configure logging again, and this time all those are there:
``disable_existing_loggers``, which is true by default, would silence the project's modules, and handlers that an
``AppConfig.ready()`` has added would go. So what was done since the last configuration is done once more after the
next.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

__all__ = ["configuring", "repeated", "started"]


class _State(NamedTuple):
    level: int
    propagate: bool
    disabled: bool
    handlers: tuple[logging.Handler, ...]
    filters: tuple


#: Loggers as they were after the last configuration.
_left: dict[logging.Logger, _State] = {}
#: What was done to loggers beside the configurations: their states before, if there were any, and after it.
_changes: dict[logging.Logger, tuple[_State | None, _State]] = {}
#: Whether a configuration repeats an earlier one.
_repeating = False


def repeated() -> None:
    """Take every configuration from now on for a repetition: the project has been set up."""
    global _repeating
    _repeating = True


def started() -> None:
    """End a start: who configures logging from now on means what is there."""
    global _repeating
    _repeating = False
    _left.clear()
    _changes.clear()


@contextmanager
def configuring() -> Iterator[None]:
    """Around a configuration of logging."""
    if _repeating:
        for logger in _loggers():
            before, now = _left.get(logger), _state(logger)
            if before != now:
                first, _ = _changes.get(logger, (before, now))
                _changes[logger] = first, now
    yield
    for logger, (before, after) in _changes.items():
        _restore(logger, before, after)
    _left.clear()
    _left.update((logger, _state(logger)) for logger in _loggers())


def _loggers() -> Iterator[logging.Logger]:
    yield logging.root
    for logger in logging.root.manager.loggerDict.values():
        if isinstance(logger, logging.Logger):  # others stand for parents that nobody has asked for
            yield logger


def _state(logger: logging.Logger) -> _State:
    handlers, filters = tuple(logger.handlers), tuple(logger.filters)
    return _State(logger.level, logger.propagate, logger.disabled, handlers, filters)


def _restore(logger: logging.Logger, before: _State | None, after: _State) -> None:
    if before is None or before.level != after.level:
        logger.setLevel(after.level)
    if before is None or before.propagate != after.propagate:
        logger.propagate = after.propagate
    if before is None or before.disabled != after.disabled:
        logger.disabled = after.disabled
    for handler in after.handlers:
        if before is None or handler not in before.handlers:
            logger.addHandler(handler)
    for each in after.filters:
        if before is None or each not in before.filters:
            logger.addFilter(each)
