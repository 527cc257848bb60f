"""``threading.local`` and ``threading.get_ident`` for a platform whose requests interleave on one thread.

Here a request is what a thread is elsewhere, so data that code keeps per thread must be per request. A
:class:`local` keeps its attributes in a scope that each request begins anew; outside requests there is one scope
for all. Tasks that a request starts share the request's scope, because they inherit its context.
"""

from _thread import get_ident
from contextvars import ContextVar
from itertools import count

from .running_loop import is_synchronous

__all__ = ["begin", "current", "ident", "local"]

_scopes: ContextVar[dict] = ContextVar("django_on_workers.locals")
_outside: dict = {}

#: Numbers of threads that no scope has: that of the only real one, and as many more as scopes have asked at once.
_unused = [get_ident()]
_more = count(get_ident() + 1)


class _Thread:
    """What a scope is elsewhere: a number for as long as the scope is there."""

    def __init__(self):
        self.ident = _unused.pop() if _unused else next(_more)

    def __del__(self):
        _unused.append(self.ident)


def begin() -> None:
    """Start a scope of its own for the current context, which is synchronous, as a thread of its own would be."""
    _scopes.set({})
    is_synchronous.set(True)


def ident() -> int:
    """Stands in for :func:`threading.get_ident`: returns a number that no other scope has at the same time."""
    scope = _scopes.get(_outside)
    if scope is _outside:
        # Nothing outside of requests goes on while there are any: the first of them has this number too.
        return get_ident()
    thread = scope.get(_Thread)
    if thread is None:
        thread = scope[_Thread] = _Thread()
    return thread.ident


def current() -> dict:
    """Return the current scope, to compare it with others."""
    return _scopes.get(_outside)


class local:
    """Drop-in for :class:`threading.local`, subclasses included: ``__init__`` runs anew in every scope."""

    def __new__(cls, /, *args, **kwargs):
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        object.__setattr__(self, "_local_arguments", (args, kwargs))
        current()[self] = {}
        return self

    def __getattribute__(self, name):
        # Several times a request; `local` itself has no descriptor that could be meant.
        attributes = _scopes.get(_outside).get(self)
        if attributes is None:
            attributes = _attributes(self)
        cls = type(self)
        if name in attributes and (cls is local or not _is_data_descriptor(cls, name)):
            return attributes[name]
        if name == "__dict__":
            return attributes
        return object.__getattribute__(self, name)

    def __setattr__(self, name, value):
        if name == "__dict__":
            raise AttributeError(
                f"{type(self).__name__!r} object attribute '__dict__' is read-only"
            )
        if _is_data_descriptor(type(self), name):
            object.__setattr__(self, name, value)
        else:
            _attributes(self)[name] = value

    def __delattr__(self, name):
        if name == "__dict__":
            raise AttributeError(
                f"{type(self).__name__!r} object attribute '__dict__' is read-only"
            )
        if _is_data_descriptor(type(self), name):
            object.__delattr__(self, name)
            return
        try:
            del _attributes(self)[name]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__!r} object has no attribute {name!r}"
            ) from None


def _attributes(instance) -> dict:
    scope = current()
    attributes = scope.get(instance)
    if attributes is None:
        attributes = scope[instance] = {}
        args, kwargs = object.__getattribute__(instance, "_local_arguments")
        type(instance).__init__(instance, *args, **kwargs)
    return attributes


def _is_data_descriptor(cls, name) -> bool:
    attribute = getattr(cls, name, None)
    return hasattr(type(attribute), "__set__")
