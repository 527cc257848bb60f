"""``threading.Lock`` and ``threading.RLock`` for a platform whose requests interleave on one thread.

Here a request is what a thread is elsewhere: one that finds a lock taken waits, and others go on. CPython's own would
wait for the thread that it stops by that, for ever, or take each request for the one that has the lock.

Who waits looks again and again. Whoever has the lock can't be relied on to wake it: the platform may cancel that
request, without a word to Python, and a promise that one request settles for another fails.
"""

import time
from collections.abc import Callable

from .locals import current

__all__ = ["Lock", "RLock"]

#: How long to wait before looking again, in seconds: twice as long each time.
_SHORTEST, _LONGEST = 0.001, 0.02
#: Who has had a lock for so many seconds, while others wait for it, has probably been cancelled.
_GIVEN_UP = 60
#: Called then: nobody here will have that lock again.
given_up: Callable[[], None] | None = None


class Lock:
    """Drop-in for :class:`threading.Lock`."""

    __slots__ = ("__weakref__", "_owner", "_times")

    def __init__(self):
        #: The scope that has it.
        self._owner: dict | None = None
        #: How often it was taken.
        self._times = 0

    def acquire(self, blocking=True, timeout=-1):
        """Take the lock, and wait for it if need be. Returns whether it was taken.

        Raises RuntimeError if another request has had it for a minute and no `timeout` is given.
        """
        if timeout != -1:
            _check(blocking, timeout)
        if self._owner is not None and not (blocking and _wait(self, timeout)):
            return False
        self._owner = current()
        self._times += 1
        return True

    def release(self):
        """Let somebody else have it. Anybody may do that. Raises RuntimeError if nobody has it."""
        if self._owner is None:
            raise RuntimeError("release unlocked lock")
        self._owner = None

    def locked(self):
        """Return whether somebody has it."""
        return self._owner is not None

    acquire_lock, release_lock, locked_lock = acquire, release, locked

    # Django takes some of them for every request and query: free ones are taken here.

    def __enter__(self):
        if self._owner is not None:
            return self.acquire()
        self._owner = current()
        self._times += 1
        return True

    def __exit__(self, kind, error, traceback):
        if self._owner is None:
            self.release()
        self._owner = None

    def __reduce__(self):
        raise TypeError(f"cannot pickle {type(self).__qualname__!r} object")

    def __repr__(self):
        return f"<{'locked' if self.locked() else 'unlocked'} {type(self).__qualname__} at {id(self):#x}>"

    def _at_fork_reinit(self):
        self._owner = None


class RLock(Lock):
    """Drop-in for :class:`threading.RLock`: who has it may take it again, and has to release it as often."""

    __slots__ = ("_count",)

    def __init__(self):
        super().__init__()
        self._count = 0

    def acquire(self, blocking=True, timeout=-1):
        """As :meth:`Lock.acquire`; at once for who has it."""
        if not self._is_owned() and not super().acquire(blocking, timeout):
            return False
        self._count += 1
        return True

    def release(self):
        """Take back one ``acquire()``. Raises RuntimeError if another request has it, or nobody."""
        if not self._is_owned():
            raise RuntimeError("cannot release un-acquired lock")
        self._count -= 1
        if self._count == 0:
            self._owner = None

    __enter__ = acquire

    def __exit__(self, kind, error, traceback):
        self.release()

    # For threading.Condition, which lets go of it while it waits.

    def _is_owned(self):
        return self._owner is current()

    def _recursion_count(self):
        return self._count if self._is_owned() else 0

    def _release_save(self):
        if not self._is_owned():
            raise RuntimeError("cannot release un-acquired lock")
        count, self._count, self._owner = self._count, 0, None
        return count

    def _acquire_restore(self, count):
        super().acquire()
        self._count = count

    def _at_fork_reinit(self):
        super()._at_fork_reinit()
        self._count = 0


def _check(blocking, timeout) -> None:
    if not blocking:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0:
        raise ValueError("timeout value must be a non-negative number")


def _wait(lock: Lock, timeout: float) -> bool:
    """Wait until nobody has `lock`. Returns whether that was within `timeout` seconds, or for ever if they are -1."""
    began = since = time.monotonic()
    times, pause = lock._times, _SHORTEST
    while lock._owner is not None:
        now = time.monotonic()
        if lock._times != times:
            times, since = lock._times, now
        if timeout != -1:
            if now - began >= timeout:
                return False
            pause = min(pause, began + timeout - now)
        elif now - since >= _GIVEN_UP and lock._owner is not current():
            if given_up is not None:
                given_up()
            raise RuntimeError(
                "Another request has held this lock for a minute; the platform may have cancelled it. "
                "Hold locks for a short time, and not while waiting for what may not come."
            )
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST)
    return True
