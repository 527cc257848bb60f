"""The one door to JavaScript: the module that the runtime registers, and whose request is being served.

``src/contract/host.ts`` has the shape of ``host``. A request is a number on both sides; what belongs to it (bindings,
storage, body) stays in JavaScript. The number lives in a context variable, so interleaved requests never mix.
"""

from contextvars import ContextVar

import _django_on_workers as host

__all__ = ["current_request", "host", "request_id"]

current_request: ContextVar[int] = ContextVar("django_on_workers.request")


def request_id() -> int:
    """The number of the request being served. Raises RuntimeError outside a request."""
    try:
        return current_request.get()
    except LookupError:
        raise RuntimeError(
            "This needs a request: bindings and databases can't be used while modules are imported. "
            "Move the call into a view, a command or AppConfig-independent code that runs later."
        ) from None
