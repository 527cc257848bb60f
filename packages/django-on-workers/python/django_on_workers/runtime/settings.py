"""A project's settings: read while an image is made, and again, with the real environment, in the running Worker.

An image must hold nothing of the environment, so while it is made each variable has a placeholder for its value (see
``build/placeholders.py``). In the Worker the settings modules run again, copies of settings that modules have made when
they were imported are filled in, and what changed is announced through Django's own ``setting_changed`` signal, whose
receivers drop what was derived from the old value.
"""

import os
import sys
from collections.abc import Callable
from copy import deepcopy
from types import CodeType

__all__ = [
    "ENVIRONMENT",
    "bind_databases",
    "bound_databases",
    "fill_in_later",
    "first_read",
    "forget",
    "modules",
    "named",
    "outdated",
    "read_again",
    "run_modules_anew",
    "same",
]

_STOCK_ENGINE = "django.db.backends.sqlite3"
_ENGINES = {
    "d1": "django_on_workers.db.d1",
    "durable-object": "django_on_workers.db.durable_object",
}

_NAMES = {"d1": "DB", "durable-object": "storage"}

#: Aliases of the databases that were pointed at the bound one.
_bound: list[str] = []
#: Settings modules of the project in the order in which they were imported, with their code: to run it again costs a
#: start less than to find and load it.
_modules: dict[str, CodeType] = {}
#: Values as the settings modules had them, while an image is made.
_as_read: dict = {}
#: Values that packages have set or changed since, when they were imported, and what was there before.
_set_later: dict[str, tuple] = {}
#: Values as of the image, without those that hold a placeholder.
_imaged: dict | None = None
#: Places in the image that had a copy of a setting's or a variable's value: what puts one there, and where it lies.
_copies: list[tuple[Callable, tuple]] = []
#: Variables that settings depend on which modules of the image have read, see :func:`fill_in_later`.
_assumptions: list[tuple[str, str | bool | None, list[str]]] = []
#: Settings that modules of the image have read and that may be decided otherwise here.
_decisions: list[tuple[str, bool, list[str]]] = []
#: Of those, sentences on the ones that are.
_decided_otherwise: list[str] = []
_MISSING = object()
#: What begins the path of a value that is no setting, but a variable's. What comes then is its name.
ENVIRONMENT = "os.environ"
_database = "durable-object"


def first_read(
    settings_module: str, database: str, project_root: str, withhold: Callable | None = None
) -> None:
    """Import the settings and amend them. Raises what the settings raise.

    `withhold` gets their values in a dictionary, before anybody else does, and may change them.
    """
    global _database
    _database = database
    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    before = set(sys.modules)
    from django.conf import settings

    settings._setup()
    _amend(settings)
    if withhold is not None:
        withhold(vars(settings._wrapped))
    for name, module in list(sys.modules.items()):
        ours = (getattr(module, "__file__", None) or "").startswith(f"{project_root}/")
        # A package around the settings has no settings itself, and may do things that are to be done once.
        around = hasattr(module, "__path__") and not f"{name}.".startswith(f"{settings_module}.")
        if ours and not around and name not in before:
            _modules[name] = module.__spec__.loader.get_code(name)
    _as_read.update({name: _copied(value) for name, value in vars(settings._wrapped).items()})


def modules() -> set[str]:
    """Names of the settings modules."""
    return set(_modules)


def named() -> set[str]:
    """Texts that the code of the settings modules names, in small letters."""
    found: set[str] = set()
    left: list = list(_modules.values())
    while left:
        each = left.pop()
        if isinstance(each, str):
            found.add(each.lower())
        elif isinstance(each, CodeType):
            left += each.co_consts
        elif isinstance(each, (tuple, frozenset)):
            left += each
    return found


def run_modules_anew(settings_module: str) -> dict:
    """Run the settings modules once more, without what they say now. Returns what `settings_module` says then."""
    for name in _modules:
        _clear(sys.modules[name])
    _run_modules()
    values = vars(sys.modules[settings_module])
    return {name: _copied(value) for name, value in values.items() if name.isupper()}


def _run_modules() -> None:
    for name, code in _modules.items():
        exec(code, vars(sys.modules[name]))


def _copied(value):
    """The value, so that a change of it shows."""
    try:
        return deepcopy(value) if isinstance(value, (list, dict, set)) else value
    except Exception:  # what it holds can't be copied
        return value


def forget(withheld: Callable[[str, object], bool]) -> list[str]:
    """Let go of every value that may hold a placeholder; `withheld` tells of a name and a value if it does.

    Returns names of settings that were set of such values later: nothing would set them in the running Worker.
    """
    global _imaged
    from django.conf import settings
    from django.utils.functional import empty

    values = vars(settings._wrapped)
    _imaged = {
        name: value
        for name, value in values.items()
        if name.isupper() and not withheld(name, value)
    }
    derived = []
    for name, value in values.items():
        before = _as_read.get(name, _MISSING)
        # Django itself fills in what DATABASES leaves open.
        if not name.isupper() or name == "DATABASES" or same(before, value):
            continue
        if name in _imaged and not withheld(name, before):
            _set_later[name] = before, value
        else:
            derived.append(name)
    _as_read.clear()
    settings._wrapped = empty
    settings.__dict__.clear()
    settings.__dict__["_wrapped"] = empty
    for name in _modules:
        _clear(sys.modules[name])
    _reset_connections()
    return sorted(derived)


def fill_in_later(copies: list[tuple[Callable, tuple]], assumptions: list, decisions: list) -> None:
    """Take note of copies that are to be filled in, and of variables that modules took for what they were.

    A copy is a function that puts the value of a setting or a variable in its place, and the value's path. An
    assumption is a variable's name, what it was (a value, None if it was not set, True if it was set to whatever), and
    sentences on who has read it, or a setting that follows from it. A decision is the same of a setting that is True
    or False.
    """
    _copies[:] = copies
    _assumptions[:] = assumptions
    _decisions[:] = decisions


def outdated() -> list[str]:
    """Sentences for the log: what was imported for another value of a variable than the Worker has."""
    found = [
        f"{name} is {'not ' if name not in os.environ else ''}set here, otherwise than when this was built, and by "
        f"then {', '.join(readers)}. Build with the value that it has here, or, if it is a secret, name it under "
        "secrets.required in the Wrangler configuration."
        for name, built, readers in _assumptions
        if (name not in os.environ if built is True else os.environ.get(name) != built)
    ]
    found += _decided_otherwise
    _assumptions.clear()
    _decided_otherwise.clear()
    return found


def read_again(settings_module: str, database: str) -> None:
    """Run the settings modules again and announce what differs from the image. Raises what the settings raise.

    Where the image holds no settings they are read for the first time, and nothing can depend on another value yet.
    """
    global _database, _imaged
    from django.conf import settings

    _database = database
    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    _run_modules()
    settings._setup()
    _amend(settings)
    # The packages are in the image and will not set them again.
    for name, (before, value) in _set_later.items():
        if same(vars(settings._wrapped).get(name, _MISSING), before):
            setattr(settings, name, value)
    for put, path in _copies:
        put(_value(settings, path))
    _copies.clear()
    for name, built, readers in _decisions:
        if (value := getattr(settings, name, None)) is not built:
            _decided_otherwise.append(
                f"{name} is {value!r} here, otherwise than when this was built, and by then {', '.join(readers)}. "
                "Build with the variables that decide it as they are here."
            )
    _decisions.clear()
    if _imaged is not None:
        imaged, _imaged = _imaged, None
        _announce(imaged, settings._wrapped)
    _reset_connections()


def _value(settings, path: tuple):
    name, *keys = path
    if name == ENVIRONMENT:
        return os.environ.get(keys[0])
    value = getattr(settings, name)
    for key in keys:
        value = value[key]
    return value


def _announce(imaged: dict, settings) -> None:
    from django.apps import apps
    from django.core.signals import setting_changed

    values = vars(settings)
    for name in sorted(values.keys() | imaged.keys()):
        # Connections are made anew, and of SECRET_KEY an image has no copy.
        if not name.isupper() or name in ("DATABASES", "SECRET_KEY"):
            continue
        value = values.get(name, _MISSING)
        if same(imaged.get(name, _MISSING), value):
            continue
        if name == "INSTALLED_APPS":
            apps.set_installed_apps(value)
        setting_changed.send(
            sender=settings.__class__,
            setting=name,
            value=None if value is _MISSING else value,
            enter=True,
        )


def same(old, new) -> bool:
    """Whether two values of a setting are equal."""
    try:
        return bool(old == new)
    except Exception:  # an __eq__ of the project's that fails: take the values for different
        return False


def _clear(module) -> None:
    kept = {
        name: value
        for name, value in vars(module).items()
        if name.startswith("__") or sys.modules.get(f"{module.__name__}.{name}") is value
    }
    vars(module).clear()
    vars(module).update(kept)


def _reset_connections() -> None:
    from django.db import connections

    connections._settings = None
    connections.__dict__.pop("settings", None)


def _amend(settings) -> None:
    """What a stock project leaves open: its database and where its static files' manifest lies."""
    from django.conf import Settings

    values: Settings = settings._wrapped
    bind_databases(values.DATABASES)
    if not values.STATIC_ROOT:
        values.STATIC_ROOT = "/app/staticfiles"


def bind_databases(databases: dict) -> None:
    """Point the default database, where it names Django's SQLite backend, at the bound one.

    Raises ImproperlyConfigured for a second one: there is one file system database too many.
    """
    from django.core.exceptions import ImproperlyConfigured

    for alias, database in databases.items():
        if database.get("ENGINE") != _STOCK_ENGINE:
            continue
        if alias != "default":
            raise ImproperlyConfigured(
                f"DATABASES[{alias!r}] names {_STOCK_ENGINE}, and only 'default' can be bound to the "
                f"Worker's database without a word. Name its engine ({', '.join(_ENGINES.values())}) "
                "and its binding (NAME) yourself."
            )
        # Options are for the other engine's connections: timeouts, pragmas, the kind of transactions.
        database.pop("OPTIONS", None)
        database["ENGINE"], database["NAME"] = _ENGINES[_database], _NAMES[_database]
        _bound.append(alias)


def bound_databases() -> list[str]:
    """Sentences for the log: which databases were bound without being named in the settings."""
    where = "the D1 binding DB" if _database == "d1" else "the Durable Object's storage"
    return [
        f"DATABASES[{alias!r}] names SQLite and is served by {where} ({_ENGINES[_database]})."
        for alias in dict.fromkeys(_bound)
    ]
