"""Which environment variables and which settings a project reads, and where."""

import os
import sys
from collections.abc import Callable

__all__ = ["RecordingEnviron", "SettingsReads", "install"]


class RecordingEnviron(os._Environ):
    """``os.environ`` that remembers each name that is asked for, and the project's module that asked."""

    def __init__(self, project_root: str):
        current = os.environ
        super().__init__(
            current._data,
            current.encodekey,
            current.decodekey,
            current.encodevalue,
            current.decodevalue,
        )
        self._prefix = f"{project_root}/"
        self.names: set[str] = set()
        #: By the project's module that asked, itself or through a package that reads variables for it. What Python and
        #: Django ask is theirs.
        self.readers: dict[str, set[str]] = {}
        #: What is done to a value that is given.
        self.given: Callable[[str], str] = str

    def forget(self) -> None:
        """Begin anew."""
        self.names.clear()
        self.readers.clear()

    def become_plain(self) -> None:
        """Be an ordinary ``os.environ`` from now on: packages keep the one that they have found."""
        del self._prefix, self.names, self.readers, self.given
        self.__class__ = os._Environ

    def __getitem__(self, name):
        self._record(name)
        return self.given(super().__getitem__(name))

    def __contains__(self, name):
        self._record(name)
        return super().__contains__(name)

    def _record(self, name):
        self.names.add(name)
        frame = sys._getframe(2)
        while frame is not None and frame.f_globals.get("__name__") in (
            "os",
            "_collections_abc",
            "collections.abc",
        ):
            frame = frame.f_back
        asking = frame.f_globals.get("__name__", "").partition(".")[0] if frame is not None else ""
        if asking == "django" or asking in sys.stdlib_module_names:
            return
        # What a module asks that the project imports for the first time is that module's business.
        while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
            if frame.f_code.co_filename.startswith(self._prefix):
                self.readers.setdefault(frame.f_globals.get("__name__", "?"), set()).add(name)
                return
            frame = frame.f_back


def install(project_root: str) -> RecordingEnviron:
    """Put a recording environment in the place of ``os.environ``."""
    recording = RecordingEnviron(project_root)
    os.environ = recording
    return recording


class SettingsReads:
    """Which of some settings are read while modules are imported or, at first, apps are set up, and by which module.

    What Django and Python read for a module is that module's. What they read on their own account is theirs: Django
    lets go of it where the setting changes.
    """

    def __init__(self, names: set[str]):
        from django.conf import LazySettings

        #: Names of settings, by module.
        self.found: dict[str, set[str]] = {}
        #: Of these and of variables, those of whose value a module has asked something, see :meth:`asked`.
        self.computed: dict[str, set[str]] = {}
        #: Whether what is read outside an import counts too.
        self.setting_up = True
        self._class = LazySettings
        self._original = original = LazySettings.__getattr__

        def __getattr__(settings, name):
            value = original(settings, name)
            if name in names:
                # Not kept where it would be found without asking.
                settings.__dict__.pop(name, None)
                self._record(name, self.found)
            return value

        LazySettings.__getattr__ = __getattr__

    def stop(self) -> None:
        """Leave Django's settings as they were."""
        self._class.__getattr__ = self._original

    def asked(self, name: str) -> None:
        """Note that something was asked of the value of a setting or a variable."""
        self._record(name, self.computed)

    def _record(self, name, found):
        frame = sys._getframe(2)
        reader = None
        while frame is not None and not frame.f_code.co_filename.startswith("<frozen importlib"):
            module = frame.f_globals.get("__name__", "")
            package = module.partition(".")[0]
            if reader is None and package not in _FRAMEWORK:
                reader = module
            frame = frame.f_back
        if reader is not None and (frame is not None or self.setting_up):
            found.setdefault(reader, set()).add(name)


_FRAMEWORK = {"django", "django_on_workers", *sys.stdlib_module_names}
