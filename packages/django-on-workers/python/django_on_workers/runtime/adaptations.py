"""Everything that is changed, at run time, in code that is not ours, and why.

Each :class:`Adaptation` names what it replaces and checks that what it replaces still looks as it did when the
replacement was written; a test applies every check to the installed versions. Nothing is patched on disk.
"""

import inspect
import sys
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["ADAPTATIONS", "Adaptation", "apply"]


class Adaptation(NamedTuple):
    """One change. `check` returns a list of what no longer fits, empty when all is well."""

    name: str
    reason: str
    check: Callable[[], list[str]]
    apply: Callable[[], None]


def _parameters(function, *expected: str) -> list[str]:
    found = tuple(inspect.signature(function).parameters)
    if found == expected:
        return []
    return [f"{function.__qualname__} takes {found}, expected {expected}"]


def _attributes(owner, *expected: str) -> list[str]:
    return [f"{owner!r} has no {name}" for name in expected if not hasattr(owner, name)]


def _names(code) -> set[str]:
    """Names that a function and those inside it use; its source need not be there."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if hasattr(constant, "co_names"):
            found |= _names(constant)
    return found


# asgiref: there is one thread, and JSPI lets synchronous code wait.


def _check_sync_to_async() -> list[str]:
    from asgiref.sync import SyncToAsync

    problems = _parameters(SyncToAsync.__call__, "self", "args", "kwargs")
    if not inspect.iscoroutinefunction(SyncToAsync.__call__):
        problems.append("SyncToAsync.__call__ is not a coroutine function")
    return problems + _attributes(SyncToAsync(len), "func")


def _apply_sync_to_async() -> None:
    from asgiref.sync import SyncToAsync

    from .running_loop import is_synchronous

    async def __call__(self, *args, **kwargs):
        """Calls the function right here: there is no other thread, and it may wait."""
        with is_synchronous.set(True):
            return self.func(*args, **kwargs)

    SyncToAsync.__call__ = __call__


def _check_async_to_sync() -> list[str]:
    from asgiref import sync

    async def nothing():
        pass

    problems = _parameters(sync.AsyncToSync.__call__, "self", "args", "kwargs")
    problems += _parameters(sync._restore_context, "context")
    return problems + _attributes(sync.AsyncToSync(nothing), "awaitable")


def _apply_async_to_sync() -> None:
    from contextvars import copy_context

    from asgiref import sync
    from pyodide.ffi import run_sync

    from .running_loop import is_synchronous, real_loop

    def __call__(self, *args, **kwargs):
        """Suspends this stack until the coroutine is done; other requests go on meanwhile."""
        before = is_synchronous.get()
        context = copy_context()
        task = real_loop().create_task(self.awaitable(*args, **kwargs), context=context)
        try:
            return run_sync(task)
        finally:
            # As asgiref does: what the coroutine activated (a language, a time zone) holds for the caller.
            sync._restore_context(context)
            is_synchronous.set(before)

    sync.AsyncToSync.__call__ = __call__


def _check_running_loop() -> list[str]:
    import asyncio

    from asgiref import local

    problems = _parameters(asyncio.Handle._run, "self")
    problems += _parameters(asyncio.to_thread, "func", "args", "kwargs")
    return problems + _attributes(local.asyncio, "get_running_loop")


def _apply_running_loop() -> None:
    import asyncio
    from types import SimpleNamespace

    from asgiref import local

    from . import running_loop

    for module in (asyncio, asyncio.events):
        module.get_running_loop = running_loop.get_running_loop
    for module in (asyncio, asyncio.threads):
        module.to_thread = running_loop.to_thread
    asyncio.Handle._run = running_loop.run_handle
    # A request's database connections are the same in its synchronous and its asynchronous code.
    local.asyncio = SimpleNamespace(get_running_loop=running_loop.real_loop)


# Django: Pyodide always has a running loop, so the check that guards the ORM against being called from async code
# would refuse every call. Django's own switch, an environment variable, is an error to ``check --deploy``.


def _check_async_unsafe() -> list[str]:
    from django.utils.asyncio import async_unsafe

    problems = _parameters(async_unsafe, "message")
    if async_unsafe is not _no_check and "get_running_loop" not in _names(async_unsafe.__code__):
        problems.append("django.utils.asyncio.async_unsafe no longer looks for a running loop")
    return problems


def _no_check(message):
    """Stands in for ``async_unsafe``, which is a decorator with and without a message."""
    return message if callable(message) else lambda function: function


def _apply_async_unsafe() -> None:
    import django.utils.asyncio

    if "django.db.backends.base.base" in sys.modules:
        raise RuntimeError(
            "The adaptations come too late: Django's databases are imported already."
        )
    django.utils.asyncio.async_unsafe = _no_check


# Python: one thread serves all requests.


def _check_threading_local() -> list[str]:
    import threading

    problems = _attributes(threading, "local", "get_ident", "_thread_local_info")
    if "get_ident" not in _names(threading.current_thread.__code__):
        problems.append("threading.current_thread() does not look for get_ident()")
    return problems


def _apply_threading_local() -> None:
    import threading

    from .locals import ident, local

    threading.local = local
    # current_thread() goes by it, and makes an object where there is none, which that local keeps.
    threading.get_ident = ident
    threading._thread_local_info = local()


def _check_locks() -> list[str]:
    import queue
    import threading
    from importlib import _bootstrap

    from asgiref import local

    problems = _attributes(threading, "Lock", "RLock", "_allocate_lock")
    problems += _attributes(local, "threading")
    problems += _attributes(queue, "SimpleQueue", "_PySimpleQueue")
    used = _names(_bootstrap._ModuleLock.__init__.__code__) | _names(
        _bootstrap._ModuleLock.acquire.__code__
    )
    if not {"_thread", "RLock", "allocate_lock", "get_ident"} <= used:
        problems.append("importlib's locks are others")
    return problems


def _apply_locks() -> None:
    import _thread
    import queue
    import threading
    from importlib import _bootstrap
    from types import SimpleNamespace

    from asgiref import local

    from django_on_workers._host import host, request_id

    from . import locals, locks
    from .locks import Lock, RLock

    locks.given_up = lambda: host.wear(request_id())
    # Whoever asks for an attribute takes such a lock, several times a request, and nobody waits meanwhile. What is kept
    # belongs to a context, whatever the thread.
    local.threading = SimpleNamespace(**vars(threading))
    local.threading.RLock, local.threading.get_ident = _thread.RLock, _thread.get_ident
    _thread.lock = _thread.LockType = _thread.allocate_lock = threading.Lock = Lock
    _thread.RLock = threading.RLock = RLock
    threading._allocate_lock = Lock
    queue.SimpleQueue = queue._PySimpleQueue
    # A module that a request imports, and that waits meanwhile, is not there yet for the others.
    _bootstrap._thread = SimpleNamespace(RLock=RLock, allocate_lock=Lock, get_ident=locals.ident)


def _check_thread_pool() -> list[str]:
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(1)
    problems = _parameters(ThreadPoolExecutor.submit, "self", "fn", "args", "kwargs")
    problems += _attributes(pool, "_shutdown", "_create_worker_context", "_resolve_work_item_task")
    return problems or _attributes(pool._create_worker_context(), "initialize", "run", "finalize")


def _apply_thread_pool() -> None:
    from concurrent.futures import Future, ThreadPoolExecutor

    from .running_loop import is_synchronous

    def submit(self, fn, /, *args, **kwargs):
        """Call the function right here, which may wait. Return a future that is done."""
        if self._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = Future()
        future.set_running_or_notify_cancel()
        try:
            worker = self._create_worker_context()
            worker.initialize()
            try:
                with is_synchronous.set(True):
                    result = worker.run(self._resolve_work_item_task(fn, args, kwargs))
            finally:
                worker.finalize()
        except BaseException as error:  # for whoever asks for the result, as in a thread
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    ThreadPoolExecutor.submit = submit


def _check_sleep() -> list[str]:
    import time

    return _attributes(time, "sleep")


def _apply_sleep() -> None:
    import time

    from django_on_workers._host import calls, done, packed

    def sleep(seconds, /):
        """Waits without blocking other requests; the clock of a Worker stands still while Python runs."""
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        done(calls.sleep(packed((float(seconds) * 1000,))))

    time.sleep = sleep


def _check_tzset() -> list[str]:
    import time

    from . import local_time

    if getattr(time, "tzset", None) in (None, local_time.tzset):
        return []
    return ["time has a tzset of its own"]


def _apply_tzset() -> None:
    import time

    from .local_time import tzset

    time.tzset = tzset


def _check_key_derivation() -> list[str]:
    import hashlib

    from . import key_derivation

    return [
        f"hashlib has a {name} of its own"
        for name in key_derivation.__all__
        if getattr(hashlib, name, None) not in (None, getattr(key_derivation, name))
    ]


def _apply_key_derivation() -> None:
    import hashlib

    from . import key_derivation

    for name in key_derivation.__all__:
        setattr(hashlib, name, getattr(key_derivation, name))


def _check_stream_handler() -> list[str]:
    import logging

    return _parameters(logging.StreamHandler.emit, "self", "record")


def _apply_stream_handler() -> None:
    import logging

    from .console import stream_handler_emit

    logging.StreamHandler.emit = stream_handler_emit


# Pyodide: its loop schedules callbacks on a message channel that all requests would share; a Worker may not touch in
# one request what belongs to another.


def _check_web_loop() -> list[str]:
    from pyodide import webloop

    return _attributes(webloop, "scheduleCallback")


def _apply_web_loop() -> None:
    from pyodide import webloop

    from django_on_workers._host import host

    def schedule(callback, milliseconds=0):
        # Looked up at each call: an image keeps the host, not the functions of it.
        host.schedule(callback, milliseconds)

    # Pyodide's own function has a fixed place in an image, so it must stay alive.
    webloop._message_channel_schedule = webloop.scheduleCallback
    webloop.scheduleCallback = schedule


# logging: a start from an image configures it a second time, when the project's loggers are there.


def _check_logging_config() -> list[str]:
    from logging.config import DictConfigurator, dictConfig, fileConfig

    problems = _parameters(DictConfigurator.configure, "self")
    parameters = ("fname", "defaults", "disable_existing_loggers", "encoding")
    problems += _parameters(fileConfig, *parameters)
    if "configure" not in _names(dictConfig.__code__):
        problems.append("dictConfig no longer calls configure")
    return problems


def _apply_logging_config() -> None:
    from contextlib import nullcontext
    from functools import wraps
    from logging import config

    from . import loggers

    configure, file_config = config.DictConfigurator.configure, config.fileConfig

    @wraps(configure)
    def _configure(self):
        # What only changes some levels leaves everything else alone.
        incremental = self.config.get("incremental", False)
        with nullcontext() if incremental else loggers.configuring():
            configure(self)

    @wraps(file_config)
    def _file_config(*args, **kwargs):
        with loggers.configuring():
            file_config(*args, **kwargs)

    config.DictConfigurator.configure = _configure
    config.fileConfig = _file_config


# Django's SQLite backend: the file system is memory.


def _check_sqlite_files() -> list[str]:
    from django.db.backends.sqlite3.base import DatabaseWrapper

    problems = _parameters(DatabaseWrapper.get_new_connection, "self", "conn_params")
    return problems + _attributes(DatabaseWrapper, "is_in_memory_db")


def _apply_sqlite_files() -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.db import connections
    from django.db.backends.sqlite3.base import DatabaseWrapper

    connect = DatabaseWrapper.get_new_connection

    def get_new_connection(self, conn_params):
        """Refuses a file of DATABASES, also with a backend that is derived from this one.

        Those of this package do not come here. A connection that is nobody's but its maker's may have its file.
        """
        name = self.settings_dict["NAME"]
        configured = connections.settings.get(self.alias, {}).get("NAME") == name
        if configured and not self.is_in_memory_db():
            raise ImproperlyConfigured(
                f"DATABASES[{self.alias!r}] names the backend {self.settings_dict['ENGINE']}, which keeps its data in "
                "a file, and what is written to a file is gone when the isolate ends. Name "
                "django_on_workers.db.durable_object or django_on_workers.db.d1 as its ENGINE, or ':memory:' as its "
                "NAME."
            )
        return connect(self, conn_params)

    DatabaseWrapper.get_new_connection = get_new_connection


ADAPTATIONS = (
    Adaptation(
        "asgiref.sync.SyncToAsync",
        "hands work to threads, which do not exist here",
        _check_sync_to_async,
        _apply_sync_to_async,
    ),
    Adaptation(
        "asgiref.sync.AsyncToSync",
        "refuses to run under a running loop, and there always is one here",
        _check_async_to_sync,
        _apply_async_to_sync,
    ),
    Adaptation(
        "asyncio.get_running_loop, asyncio.to_thread",
        "finds a loop in synchronous code too, because one is always running; has no thread to go to",
        _check_running_loop,
        _apply_running_loop,
    ),
    Adaptation(
        "django.utils.asyncio.async_unsafe",
        "takes every call for one from async code",
        _check_async_unsafe,
        _apply_async_unsafe,
    ),
    Adaptation(
        "threading.local, threading.get_ident",
        "would be the same for all requests",
        _check_threading_local,
        _apply_threading_local,
    ),
    Adaptation(
        "threading.Lock, threading.RLock, queue.SimpleQueue, importlib's locks",
        "would never be released while a request waits for them, or take all requests for one",
        _check_locks,
        _apply_locks,
    ),
    Adaptation(
        "concurrent.futures.ThreadPoolExecutor",
        "starts threads, which do not exist here",
        _check_thread_pool,
        _apply_thread_pool,
    ),
    Adaptation(
        "time.sleep",
        "would spin on a clock that stands still",
        _check_sleep,
        _apply_sleep,
    ),
    Adaptation(
        "time.tzset",
        "is missing, and Django sets the local time by it",
        _check_tzset,
        _apply_tzset,
    ),
    Adaptation(
        "hashlib.pbkdf2_hmac, hashlib.scrypt",
        "are missing without OpenSSL, and Django hashes passwords with them",
        _check_key_derivation,
        _apply_key_derivation,
    ),
    Adaptation(
        "logging.StreamHandler.emit",
        "would lose the level on the way to the console",
        _check_stream_handler,
        _apply_stream_handler,
    ),
    Adaptation(
        "logging.config.dictConfig, logging.config.fileConfig",
        "would silence the loggers of an image when a start configures logging again",
        _check_logging_config,
        _apply_logging_config,
    ),
    Adaptation(
        "django.db.backends.sqlite3.base.DatabaseWrapper.get_new_connection",
        "would write to a file that is gone when the isolate ends",
        _check_sqlite_files,
        _apply_sqlite_files,
    ),
    Adaptation(
        "pyodide.webloop.scheduleCallback",
        "would share a message channel between requests",
        _check_web_loop,
        _apply_web_loop,
    ),
)


def apply() -> None:
    """Apply all of them. Comes before the project is imported."""
    for adaptation in ADAPTATIONS:
        adaptation.apply()
