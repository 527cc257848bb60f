"""Bindings from anywhere in a project, see the package's docstring."""

from pyodide.ffi import run_sync

from ._host import host, request_id

__all__ = ["env", "run_sync", "storage", "wait_until"]


class _Env:
    """Looks each name up among the bindings of the request being served."""

    def __getattr__(self, name):
        return getattr(host.bindings(request_id()), name)

    def __dir__(self):
        return dir(host.bindings(request_id()))

    def __repr__(self):
        return "<the Worker's bindings>"


class _Storage:
    """Looks each name up on the storage of the Durable Object that serves the request."""

    def __getattr__(self, name):
        found = host.storage(request_id())
        if found is None:
            raise AttributeError(
                f"storage.{name}: this request is served by a Worker, not by a Durable Object"
            )
        return getattr(found, name)

    def __repr__(self):
        return "<the Durable Object's storage>"


def wait_until(awaitable):
    """Keep the Worker alive until `awaitable` (a promise, coroutine or future) has settled.

    https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil
    """
    import asyncio

    future = asyncio.ensure_future(awaitable)
    settle = host.wait_until(request_id())

    def done(finished):
        error = None if finished.cancelled() else finished.exception()
        if error is not None:
            import logging

            logging.getLogger("django_on_workers").error(
                "An awaitable given to wait_until() failed", exc_info=error
            )
        settle()

    future.add_done_callback(done)


env = _Env()
storage = _Storage()
