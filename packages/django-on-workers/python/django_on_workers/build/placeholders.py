"""Stand-ins for what the environment holds, while an image is made, and what becomes of them.

Each variable has one for its value, of the value's shape (``src/build/shapes.ts``). A setting whose value is exactly
that, or a part of it that a URL was taken apart for, gets one of its own; so a copy of it that a module keeps can be
told from any other, emptied before the image is written and filled in the running Worker. A text is told by what it
says, since it has a name in it; a number by its identity. Both tell what is asked of them that may be answered
alike for other values: whether a text is another, what a number is compared with.
"""

import gc
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache, partial
from types import (
    BuiltinFunctionType,
    CellType,
    FrameType,
    FunctionType,
    MethodDescriptorType,
    ModuleType,
    WrapperDescriptorType,
)

from django.utils.functional import Promise

from django_on_workers.runtime.settings import ENVIRONMENT

__all__ = ["FIELD", "TEXT", "Path", "Placeholders"]

#: The shape of a value that shows nothing, and what shapes have where values have something to hide.
TEXT = "{text}"
FIELD = re.compile(r"\{(text|host|number)\}")

#: Where a value lies in the settings: the setting's name, then keys and indices; or in the environment.
Path = tuple

#: What placeholders begin with, and nothing else. There are two kinds, of one length: what differs between an image
#: with the one and an image with the other was made of them.
_STEMS = ("django-on-workers-placeholder", "django-on-workers-replacement")
#: The first of them that is a number, and how far the next one is. They may be sizes, ports or days, and those of the
#: two kinds differ in every digit.
_NUMBERS = ((40_001, 1), (59_998, -1))

#: What is asked of a text and gives a part of it away without showing it. Whether there is one does not: there is.
_TEXT_OPERATIONS = """
__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __contains__ __hash__ count endswith find index isalnum isalpha isascii
isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper rfind rindex startswith
""".split()
#: Of a number that is everything but these.
_NO_OPERATIONS = frozenset(("__getattribute__", "__getnewargs__", "__sizeof__"))

_Cache = type(lru_cache(len))
#: A cache leads to its arguments and results, and those to what they are made of.
_CACHED_DEPTH = 3
#: What else it leads to: its function, and by way of that everything.
_NOT_CACHED = (FunctionType, BuiltinFunctionType, ModuleType, type)


class Placeholders:
    """Those of one image, of the kind 0 or 1."""

    def __init__(self, kind: int):
        self._stem = _STEMS[kind]
        self._next_number, self._step = _NUMBERS[kind]
        # Pairs, and no dictionaries: those have tables by hashes, which differ, and leave them behind when they grow.
        self._variables: list[tuple[str | float, str]] = []
        self._paths: list[tuple[str | float, Path]] = []
        #: Gets the name of a setting or variable of whose placeholder something was asked.
        self.asked: Callable[[str], None] = lambda name: None
        self._types = {
            str: _watched(str, _TEXT_OPERATIONS, self._asked),
            **{kind: _watched(kind, _operations(kind), self._asked) for kind in (int, float)},
        }

    def of_variable(self, name: str, shape: str = TEXT) -> str:
        """What the environment variable `name` holds while the image is made: a value of that shape."""
        value = FIELD.sub(lambda field: self._field(field[1], name), shape)
        if value != shape:
            self._variables.append((value, name))
            self._paths.append((value, (ENVIRONMENT, name)))
            with suppress(ValueError):
                self._variables.append((float(value), name))
        return value

    def _field(self, kind: str, name: str) -> str:
        if kind == "number":
            number = self._number()
            self._variables.append((number, name))
            return str(number)
        text = f"{self._stem}-{name}"
        if kind == "host":
            # As it comes out of a URL.
            text = text.lower()
        self._variables.append((text, name))
        return text

    def variable(self, value: str) -> str:
        """The value of a variable, for a module that reads it."""
        return value if self._path_of(value) is None else self._types[str](value)

    def _asked(self, placeholder: str | float) -> None:
        path = self._path_of(_text(placeholder) or placeholder)
        self.asked(path[1] if path[0] == ENVIRONMENT else path[0])

    def _number(self) -> int:
        number = self._next_number
        self._next_number += self._step
        return number

    def within(self, value) -> bool:
        """Whether a value shows one that is a text. What was made of a number shows nothing."""
        return any(self._stem in text for text in _texts(value))

    def settings_of(self, name: str, values: dict) -> set[str]:
        """Settings that show the placeholder of a variable."""
        text = f"{self._stem}-{name}"

        def shows(found: str) -> bool:
            _, match, rest = found.partition(text)
            # Another variable's name may begin like this one's.
            return bool(match) and not rest[:1].isidentifier() and not rest[:1].isdigit()

        return {
            setting
            for setting, value in values.items()
            if any(shows(found) for found in _texts(value))
        }

    def withhold(self, values: dict, always: tuple[str, ...]) -> None:
        """Give settings one of their own: those in `always`, and what is exactly a variable's, however deep it lies."""
        for name in always:
            values[name] = self._text_of((name,))
        for name in [name for name in values if name.isupper() and name not in always]:
            values[name] = self._withheld(values[name], (name,))

    def _text_of(self, path: Path) -> str:
        text = f"{self._stem}.{'.'.join(map(str, path))}"
        self._paths.append((text, path))
        return self._types[str](text)

    def _number_of(self, path: Path, kind: type[int | float]) -> int | float:
        number = self._types[kind](self._number())
        self._paths.append((number, path))
        return number

    def _withheld(self, value, path: Path):
        if type(value) in (str, int, float) and any(each == value for each, _ in self._variables):
            return self._text_of(path) if type(value) is str else self._number_of(path, type(value))
        if type(value) is dict:
            for key in value:
                value[key] = self._withheld(value[key], (*path, key))
        elif type(value) is list:
            value[:] = [self._withheld(each, (*path, index)) for index, each in enumerate(value)]
        elif type(value) is tuple:
            return tuple(self._withheld(each, (*path, index)) for index, each in enumerate(value))
        return value

    def take(self) -> tuple[list[tuple[Callable, Path]], dict[str, set[str]]]:
        """Empty what holds one.

        Returns for each place a function that puts a value there and the value's path; and, by module, the names of
        what lies where no other value can be put. Nothing is emptied then.
        """
        self.clear_caches()
        classes = _namespaces()
        places: list[tuple[Callable, Path]] = []
        kept: dict[str, set[str]] = {}
        objects = gc.get_objects()
        own = {
            id(each)
            for each in (self, self._variables, self._paths, _STEMS, globals())
            + (*self._variables, *self._paths)
        }
        for container in objects:
            if id(container) in own or type(container) is FrameType:
                continue
            for held in self._held(container):
                path = self._path_of(held)
                puts = [] if path is None else list(_puts(container, held, classes))
                if puts:
                    places += [(put, path) for put in puts]
                else:
                    kept.setdefault(_owner(container, objects), set()).add(self._name(held, path))
        if not kept:
            for put, _ in places:
                put(None)
        return places, kept

    def clear_caches(self) -> None:
        """Let functions forget their results that show one, as those that take URLs apart have them."""
        for cache in gc.get_objects():
            if type(cache) is not _Cache:
                continue
            near = [cache]
            for _ in range(_CACHED_DEPTH):
                if any(map(self._held, near)):
                    cache.cache_clear()
                    break
                near = [each for each in gc.get_referents(*near) if type(each) not in _NOT_CACHED]

    def clear(self) -> None:
        """Let go of them all."""
        self._variables.clear()
        self._paths.clear()
        self._types.clear()
        # What Python has calculated with to read or to write one is no object, and stays until it is needed again.
        repr(0.77777)

    def _held(self, container):
        """Those that a container holds, each once: texts that show one, and what is watched."""
        found: list[str | float] = []
        watched = self._types.values()
        for referent in gc.get_referents(container):
            if type(referent) in watched:
                held = _text(referent) or referent
            elif self._stem not in (held := _text(referent)):
                continue
            if not any(_is(each, held) for each in found):
                found.append(held)
        return found

    def _path_of(self, held: str | float) -> Path | None:
        return next((path for each, path in self._paths if _is(each, held)), None)

    def _name(self, held: str | float, path: Path | None) -> str:
        if path is not None:
            return path[1] if path[0] == ENVIRONMENT else ".".join(map(str, path))
        found = re.match(r"[\w.]*", str(held).partition(self._stem)[2][1:])[0]
        names = {name.lower(): name for _, name in self._variables}
        return names.get(found.lower(), found)


def _operations(kind: type) -> list[str]:
    return [
        name
        for name, value in vars(kind).items()
        if name not in _NO_OPERATIONS
        and type(value) in (WrapperDescriptorType, MethodDescriptorType)
    ]


def _watched(kind: type, operations: list[str], asked: Callable) -> type:
    """A kind of text or number that says when it is asked for one of these."""

    def watched(name: str):
        method = getattr(kind, name)

        def operation(self, *args, **kwargs):
            asked(self)
            return method(self, *args, **kwargs)

        return operation

    def itself(self, memo=None):
        return self

    names = {name: watched(name) for name in operations}
    return type(
        kind.__name__,
        (kind,),
        {"__slots__": (), "__copy__": itself, "__deepcopy__": itself} | names,
    )


def _is_a(value, kind: type) -> bool:
    """As isinstance(), which asks an object for its class: a lazy one then loads itself."""
    return issubclass(type(value), kind)


def _text(value) -> str:
    """What of a value may be searched."""
    if _is_a(value, str):
        return str.__str__(value)
    return value.decode("latin-1") if type(value) is bytes else ""


def _texts(value):
    """The texts in a value of the settings. Not its repr: what is left of that in memory would differ."""
    if _is_a(value, str) or type(value) is bytes:
        yield _text(value)
    elif type(value) is dict:
        for pair in value.items():
            yield from _texts(pair)
    elif type(value) in (list, tuple, set, frozenset):
        for each in value:
            yield from _texts(each)
    # A lazy text is one of a catalogue, for which it is too early.
    elif type(value) not in (int, float) and not _is_a(value, Promise):
        yield repr(value)


def _is(value, held: str | float) -> bool:
    return value is held or (type(held) is str and _is_a(value, str) and str.__eq__(value, held))


def _namespaces() -> dict[int, type]:
    """Classes by the identity of their namespaces, which may only be changed by way of the class."""
    return {
        id(referent): each
        for each in gc.get_objects()
        if _is_a(each, type)
        for referent in gc.get_referents(each)
        if type(referent) is dict
    }


def _puts(container, held: str | float, classes: dict[int, type]):
    """Functions that put another value where `container` holds `held`; none if it can't be replaced everywhere."""
    if _is_a(container, dict):
        if any(_is(key, held) for key in container):
            return
        owner = classes.get(id(container))
        for key, value in container.items():
            if _is(value, held):
                put, where = (type.__setattr__, owner) if owner else (dict.__setitem__, container)
                yield partial(put, where, key)
    elif _is_a(container, list):
        for index, value in enumerate(container):
            if _is(value, held):
                yield partial(list.__setitem__, container, index)
    elif type(container) is CellType:
        yield partial(setattr, container, "cell_contents")
    else:
        # An object's attributes, where they are not in a dictionary of their own.
        try:
            attributes = object.__getattribute__(container, "__dict__")
        except AttributeError:
            return
        if type(attributes) is dict and not _is_a(container, type):
            for name, value in attributes.items():
                if _is(value, held):
                    yield partial(object.__setattr__, container, name)


def _owner(container, objects: list) -> str:
    """The module that a container belongs to: whose namespace it is, or one that leads to it."""
    names = {
        id(vars(module)): name
        for name, module in list(sys.modules.items())
        if hasattr(module, "__dict__")
    }
    near = [container]
    for _ in range(4):
        for each in near:
            if id(each) in names:
                return names[id(each)]
        near = [
            each
            for each in gc.get_referrers(*near)
            if each is not objects and each is not near and type(each) is not FrameType
        ]
    return type(container).__module__
