"""Garbage collection, only when the host says that no stack is suspended.

CPython's own, automatic collection corrupts memory when it starts while other stacks are suspended, so it is off.
"""

import gc

__all__ = ["collect", "disable"]

#: Containers that were allocated and not freed since the last collection, before another one is worth its time.
THRESHOLD = 20_000
#: After so many young collections everything is collected.
FULL_EVERY = 20

_collections = 0


def disable() -> None:
    """Switch automatic collection off, for good."""
    gc.disable()


def collect() -> None:
    """Collect when enough has gathered. The host calls this only between requests."""
    global _collections
    if gc.get_count()[0] < THRESHOLD:
        return
    _collections += 1
    gc.collect(2 if _collections % FULL_EVERY == 0 else 1)
