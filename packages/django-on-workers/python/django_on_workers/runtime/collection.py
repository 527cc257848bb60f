"""Garbage collection, only when the host says that no stack is suspended.

CPython's own, automatic collection corrupts memory when it starts while other stacks are suspended, so it is off.
"""

import gc

__all__ = ["collect", "disable"]

#: Containers that were allocated and not freed since the last collection, before another one is worth its time. A
#: request of Django's leaves some fifty behind; left for long, they take the memory that the processor has at hand.
THRESHOLD = 700
#: Collections of what is new to one of everything. What the image holds is frozen and never looked at.
YOUNG = 100

_collections = 0


def disable() -> None:
    """Switch automatic collection off, for good."""
    gc.disable()


def collect() -> None:
    """Collect when enough has gathered. The host calls this only between requests."""
    global _collections
    if gc.get_count()[0] >= THRESHOLD:
        _collections += 1
        gc.collect(0 if _collections % YOUNG else 2)
