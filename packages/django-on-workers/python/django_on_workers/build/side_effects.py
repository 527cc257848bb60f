"""What a project does while it is imported that every Worker has to do for itself.

An image has memory, and of that what was there when it was made. A module that asks for a random token or for the time
has one value in all Workers then; a folder that it makes, or a file that it keeps open, is missing; and it has found no
database.
"""

import gc
import io
import logging
import os
import random
import sys
from collections.abc import Callable
from pathlib import PurePosixPath
from types import FrameType
from typing import NamedTuple

from django_on_workers import _host

__all__ = ["Found", "SideEffects"]

#: Whoever asks for a database asks through these.
_BETWEEN = {"django", "django_on_workers", *sys.stdlib_module_names}


class Found(NamedTuple):
    """Why a project can't be in an image; `modules` are those that are why, where that is known."""

    reason: str
    modules: frozenset[str] | None


class SideEffects:
    """Watches a project while it is imported, from after its settings on, which run again in every start.

    `made` returns the paths of files and folders that were made in the file system.
    """

    def __init__(self, project_root: str, made: Callable[[], set[str]]):
        self._prefix = f"{project_root}/"
        self._made, self._made_before = made, made()
        #: Whether what is done outside an import counts too.
        self.setting_up = True
        self._asking: set[str] = set()
        self._missing: set[str] = set()
        self._original = original = os.urandom
        # Whoever imports the function now keeps it, in the image too: it must not lead here then.
        self._watching = watching = [self]

        def urandom(size, /):
            for each in watching:
                each._record_asking()
            return original(size)

        os.urandom = random._urandom = urandom
        _host.missed = self._record_missing

    def stop(self) -> None:
        """End the import. The system's randomness is as it was."""
        _host.missed = None
        os.urandom = random._urandom = self._original
        self._watching.clear()

    def found(self, runs_again: set[str]) -> Found | None:
        """Say what was done, but for modules that run again in every start."""
        if missing := self._missing - runs_again:
            return Found(
                "a database or another binding is asked for while the project is imported, and the build has none: by "
                f"{', '.join(sorted(missing))}. Ask for it where it is used",
                frozenset(missing),
            )
        if asking := self._asking - runs_again:
            return Found(
                "what is random would be the same in every Worker, and it is asked for while the project is imported, "
                f"by {', '.join(sorted(asking))}. Ask for it where it is used",
                frozenset(asking),
            )
        if dated := self._dated() - runs_again:
            return Found(
                "the time would be that of the build in every Worker, and it is asked for while the project is "
                f"imported, by {', '.join(sorted(dated))}. Ask for it where it is used, or name a function for it",
                frozenset(dated),
            )
        if left := self._left():
            return Found(
                "files and folders that are made, or opened for longer, while the project is imported would be missing "
                f"in a Worker: {', '.join(left)}. Make or open them where they are used, or folders in the settings",
                None,
            )
        return None

    def _record_asking(self) -> None:
        """Take note of the project's module that asks for randomness, itself or through others.

        ``secrets``, ``uuid`` and Django's ``get_random_string()`` ask the system. What packages ask for when they are
        imported is theirs. Generators are not meant: they are seeded anew, see ``runtime/entropy.py``.
        """
        asking = self._asker(sys._getframe(2), lambda code, name: code.startswith(self._prefix))
        if asking is not None:
            self._asking.add(asking)

    def _record_missing(self) -> None:
        """Take note of the module, of the project or of a package, that needs a database, and may do without."""
        asking = self._asker(
            sys._getframe(2), lambda code, name: name.partition(".")[0] not in _BETWEEN
        )
        if asking is not None:
            self._missing.add(asking)

    def _asker(self, frame: FrameType | None, counts: Callable[[str, str], bool]) -> str | None:
        """The module that asks for something, if that is while something is imported.

        It is the innermost that `counts` by the path of its code and its name.
        """
        asker = None
        while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
            name = frame.f_globals.get("__name__", "?")
            if asker is None and counts(frame.f_code.co_filename, name):
                asker = name
            frame = frame.f_back
        return asker if frame is not None or self.setting_up else None

    def _dated(self) -> set[str]:
        """Names of the project's modules that ask for the time when they are imported."""
        before = set(sys.modules)
        from .clock import asks_for_time

        found = set()
        for name, module in list(sys.modules.items()):
            ours = (getattr(module, "__file__", None) or "").startswith(self._prefix)
            if ours and asks_for_time(module.__spec__.loader.get_code(name)):
                found.add(name)
        # It stays out of the image.
        for name in sys.modules.keys() - before:
            del sys.modules[name]
        return found

    def _left(self) -> list[str]:
        """What is left in the file system, but for logs: a start opens them anew."""
        gc.collect()
        handlers = [reference() for reference in logging._handlerList]
        logs = {each.baseFilename for each in handlers if isinstance(each, logging.FileHandler)}
        opened = {
            str(file.name)
            for file in gc.get_objects()
            if type(file) is io.FileIO and not file.closed and file.fileno() > 2
        }
        paths = (self._made() - self._made_before | opened) - logs
        paths = {path for path in paths if "/__pycache__" not in path}
        around = {parent for path in paths for parent in map(str, PurePosixPath(path).parents)}
        return sorted(path.removeprefix(self._prefix) for path in paths - around)
