"""What the package needs of the runtime around it: JavaScript, and whose request is being served.

``src/contract/host.ts`` has the shapes of ``host``, whose functions Pyodide wraps, and of ``calls``, which every
request and query uses. Those take what :func:`packed` makes of their arguments, and perhaps bytes; some of them wait,
and suspend the stack they are called from. They return whether what they found is whole: whether it lies in
``answers``, or is nothing. Otherwise there is a :func:`rest`.

A request is a number on both sides; what belongs to it (bindings, storage, body) stays in JavaScript. The number lives
in a context variable, so interleaved requests never mix.
"""

import marshal
from collections.abc import Callable
from contextvars import ContextVar

import _django_on_workers as host
import _django_on_workers_calls as calls

__all__ = [
    "MARSHAL",
    "HostError",
    "NoRequestError",
    "answers",
    "calls",
    "current_request",
    "done",
    "host",
    "packed",
    "request_id",
    "rest",
]

current_request: ContextVar[int] = ContextVar("django_on_workers.request")

#: Where the host writes what it answers: each answer over the one before, so it is read at once. Nobody else has this
#: object, nor asks for its hash: that its bytes change is nobody's surprise.
answers = bytes(64 * 1024)


#: Called where something needs a request and there is none.
missed: Callable[[], None] | None = None


class HostError(OSError):
    """What the host has against a call."""


class NoRequestError(RuntimeError):
    """Something needs a request, and there is none."""


def bind() -> None:
    """Say where answers go; the first thing that runs after a restore."""
    done(calls.answers_at(packed(()), answers))


#: The version of ``marshal`` that the host reads and writes.
MARSHAL = 2


def packed(arguments: tuple) -> bytes:
    """Return the arguments of one of ``calls``: None, numbers, text, bytes, and sequences of those."""
    return marshal.dumps(arguments, MARSHAL)


def rest() -> bytes:
    """Return the bytes that one of ``calls`` has found instead of an answer in its place. Raises HostError."""
    found = host.rest()
    if type(found) is str:
        raise HostError(found)
    return found.to_bytes()


def done(is_whole: bool) -> bytes | None:
    """Return what one of ``calls`` has found that does not answer: bytes or nothing. Raises HostError."""
    return None if is_whole else rest()


def request_id() -> int:
    """The number of the request being served. Raises NoRequestError while a build imports the project."""
    try:
        return current_request.get()
    except LookupError:
        if missed is not None:
            missed()
        raise NoRequestError(
            "there are no bindings and no databases while the build imports the project"
        ) from None
