"""Which code runs in an event loop.

There is one loop here, JavaScript's, and Python always finds it running. Elsewhere synchronous code finds none, and
packages tell by that what they may do: django-constance gives a value or something to await. So code is *synchronous*
from where a request or a command begins until the loop runs something, a task or a callback, and again in what
``sync_to_async`` and ``to_thread`` call.
"""

import asyncio
from contextvars import Context, ContextVar, copy_context

__all__ = ["get_running_loop", "is_synchronous", "real_loop", "run_handle", "to_thread"]

is_synchronous: ContextVar[bool] = ContextVar("django_on_workers.synchronous", default=False)

real_loop = asyncio.get_running_loop
_run_handle = asyncio.Handle._run


def get_running_loop() -> asyncio.AbstractEventLoop:
    """Stands in for :func:`asyncio.get_running_loop`. Raises RuntimeError in synchronous code."""
    if is_synchronous.get():
        raise RuntimeError("no running event loop")
    return real_loop()


async def to_thread(func, /, *args, **kwargs):
    """Stands in for :func:`asyncio.to_thread`: there is no other thread, so it calls the function right here."""
    with is_synchronous.set(True):
        return copy_context().run(func, *args, **kwargs)


def run_handle(self: asyncio.Handle) -> None:
    """Stands in for ``asyncio.Handle._run``: what the loop runs is asynchronous, whoever asked for it."""
    context: Context = self._context
    if context.get(is_synchronous):
        context.run(is_synchronous.set, False)
    _run_handle(self)
