"""Django on Cloudflare Workers: what a project may import.

``env``
    The Worker's bindings, as the JavaScript objects that they are: ``env.DB``, ``env.BUCKET``. Variables and secrets
    are there too, and in ``os.environ``. https://developers.cloudflare.com/workers/runtime-apis/bindings/
``storage``
    The storage of the Durable Object that serves the request; ``None``-like (no attributes) in a plain Worker.
    https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/
``run_sync(awaitable)``
    Waits, in synchronous code, for a promise, a coroutine or a future, and returns its result.
``wait_until(awaitable)``
    Keeps the Worker alive until the awaitable has settled, after the response has been sent.

Each raises ``RuntimeError`` outside a request.
"""

from ._bindings import env, run_sync, storage, wait_until

__all__ = ["env", "run_sync", "storage", "wait_until"]
__version__ = "0.1.0"
