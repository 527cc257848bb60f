"""Garbage collection, only when the host says that no stack is suspended.

CPython's own, automatic collection corrupts memory when it starts while other stacks are suspended, so it is off.
"""

import gc

__all__ = ["collect", "disable"]

#: Containers that were allocated and not freed since the last collection, before another one is worth its time. A
#: request of Django's leaves some fifty behind.
THRESHOLD = 20_000


def disable() -> None:
    """Switch automatic collection off, for good."""
    gc.disable()


def collect() -> None:
    """Collect when enough has gathered. The host calls this only between requests.

    Everything is looked at, which is little: what the image holds is frozen.
    """
    if gc.get_count()[0] >= THRESHOLD:
        gc.collect()
