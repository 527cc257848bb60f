"""The one door to JavaScript: the module that the runtime registers, and whose request is being served.

``src/contract/host.ts`` has the shape of ``host``. A request is a number on both sides; what belongs to it (bindings,
storage, body) stays in JavaScript. The number lives in a context variable, so interleaved requests never mix.
"""

from contextvars import ContextVar

import _django_on_workers as host
from pyodide.ffi import run_sync

__all__ = [
    "BYTES_OFFSET",
    "answers",
    "calls",
    "current_request",
    "host",
    "request_id",
    "started",
    "wait",
]

current_request: ContextVar[int] = ContextVar("django_on_workers.request")

#: How far into a ``bytes`` object its data begins; JavaScript reads bytes where they lie (contract/host.ts).
#: CPython's PyBytesObject ends with one byte of data, which ``__basicsize__`` counts.
BYTES_OFFSET = bytes.__basicsize__ - 1


class _Calls:
    """Functions of the host that are called for every request or query, looked up once.

    Not before the runtime has started: an image can't hold functions of JavaScript.
    """

    __slots__ = ("d1_answer", "d1_batch", "d1_query", "object_query", "respond")


calls = _Calls()


#: Where the host writes what a database answers: each answer over the one before, so it is read at once. Nobody else
#: has this object, nor asks for its hash: that its bytes change is nobody's surprise.
answers = bytes(64 * 1024)


def bind() -> None:
    """Look up what is called, and say where answers go; the first thing that runs after a restore."""
    for name in _Calls.__slots__:
        setattr(calls, name, getattr(host, name))
    started.promise = host.started
    host.answers_at(id(answers) + BYTES_OFFSET, len(answers))


class _Started:
    """What the host has just started (``Started`` in contract/host.ts), to be awaited or waited for at once.

    ``run_sync`` waits for its promise as it is: ``runtime/adaptations.py`` lets it.
    """

    __slots__ = ("promise",)

    def __await__(self):
        return self.promise.__await__()


started = _Started()


def wait():
    """Suspend this stack until what the host has just started settles; return its result, or raise JsException."""
    return run_sync(started)


def request_id() -> int:
    """The number of the request being served. Raises RuntimeError outside a request."""
    try:
        return current_request.get()
    except LookupError:
        raise RuntimeError(
            "This needs a request: bindings and databases can't be used while modules are imported. "
            "Move the call into a view, a command or another function that runs later."
        ) from None
