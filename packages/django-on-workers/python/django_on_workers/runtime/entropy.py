"""Randomness that an image must not carry from one isolate into the next."""

import gc
import random

__all__ = ["remember", "reseed"]

_generators: list[random.Random] = []


def remember() -> None:
    """Find every generator that exists when the image is written."""
    _generators[:] = [
        found
        for found in gc.get_objects()
        # The type, since isinstance() asks an object for its __class__, and a lazy one then loads itself.
        if issubclass(type(found), random.Random)
        and not issubclass(type(found), random.SystemRandom)
    ]


def reseed() -> None:
    """Seed them, and ``random``'s own, from the platform's randomness."""
    random.seed()
    for generator in _generators:
        generator.seed()
    _generators.clear()
