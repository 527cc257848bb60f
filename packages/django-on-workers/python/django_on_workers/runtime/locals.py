"""``threading.local`` and ``threading.get_ident`` for a platform whose requests interleave on one thread.

Here a request is what a thread is elsewhere, so data that code keeps per thread must be per request. A
:class:`local` keeps its attributes in a scope that each request begins anew; outside requests there is one scope
for all. Tasks that a request starts share the request's scope, because they inherit its context.
"""

from _thread import get_ident
from contextvars import ContextVar
from itertools import count

from .running_loop import is_synchronous

__all__ = ["begin", "ident", "local"]

#: Numbers of threads that no scope has: that of the only real one, and as many more as there were scopes at once.
_unused = [get_ident()]
_more = count(get_ident() + 1)


class _Scope(dict):
    """The attributes of each :class:`local`, and the number of a thread, until nobody needs them any more."""

    __slots__ = ("ident",)

    def __init__(self):
        self.ident = _unused.pop() if _unused else next(_more)

    def __del__(self):
        _unused.append(self.ident)


_scopes: ContextVar[_Scope] = ContextVar("django_on_workers.locals")
_outside = _Scope()
# What is outside of requests does not go on while there are any: the first has its number, that of the main thread.
_unused.append(_outside.ident)


def begin() -> None:
    """Start a scope of its own for the current context, which is synchronous, as a thread of its own would be."""
    _scopes.set(_Scope())
    is_synchronous.set(True)


def ident() -> int:
    """Stands in for :func:`threading.get_ident`: returns a number that no other scope has at the same time."""
    return _scopes.get(_outside).ident


class local:
    """Drop-in for :class:`threading.local`, subclasses included: ``__init__`` runs anew in every scope."""

    def __new__(cls, /, *args, **kwargs):
        if (args or kwargs) and cls.__init__ is object.__init__:
            raise TypeError("Initialization arguments are not supported")
        self = object.__new__(cls)
        object.__setattr__(self, "_local_arguments", (args, kwargs))
        _scope()[self] = {}
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


def _scope() -> _Scope:
    return _scopes.get(_outside)


def _attributes(instance) -> dict:
    scope = _scope()
    attributes = scope.get(instance)
    if attributes is None:
        attributes = scope[instance] = {}
        args, kwargs = object.__getattribute__(instance, "_local_arguments")
        type(instance).__init__(instance, *args, **kwargs)
    return attributes


def _is_data_descriptor(cls, name) -> bool:
    attribute = getattr(cls, name, None)
    return hasattr(type(attribute), "__set__")
