"""
Pragmas that set what Workers decide for themselves: files, memory, locks, and that foreign keys are checked.

Projects on SQLite send them with each connection, which is refused here (``not
authorized``), or holds for every other request too, as ``foreign_keys = OFF``
would on a Durable Object. So they are not sent: they have no effect, as SQLite
gives them none where they do not apply, and answer what it would.
See https://www.sqlite.org/pragma.html.
"""

import logging
import re

from .driver import Result

logger = logging.getLogger("django_on_workers.db")

SETTING = re.compile(
    r"""
    \s* PRAGMA \s+ (?:\w+ \s*\.\s*)? (?P<name>\w+) \s*
    (?: = \s* | \( \s* ) (?P<quote>['"]?) (?P<value>[\w.+-]+) (?P=quote) \s* \)? \s* \Z
    """,
    re.IGNORECASE | re.VERBOSE,
)

#: Those that answer nothing.
SILENT = frozenset(
    "auto_vacuum cache_size cache_spill checkpoint_fullfsync foreign_keys fullfsync page_size "
    "synchronous temp_store trusted_schema".split()
)
#: Those that answer with what holds, whatever was asked for.
FIXED = {"journal_mode": "wal", "locking_mode": "normal"}
#: Those that answer with the number that they were given, and the column's name.
ECHOED = {
    "busy_timeout": "timeout",
    "journal_size_limit": "journal_size_limit",
    "mmap_size": "mmap_size",
    "threads": "threads",
    "wal_autocheckpoint": "wal_autocheckpoint",
}

#: Names that were told about.
told: set[str] = set()


def without_effect(sql: str) -> Result | None:
    """Return the answer to one of them; None for any other statement."""
    match = SETTING.match(sql)
    if match is None:
        return None
    name, value = match["name"].lower(), match["value"]
    if name in SILENT:
        result = Result()
    elif name in FIXED:
        result = Result((name,), [(FIXED[name],)])
    elif name in ECHOED and value.lstrip("+-").isdecimal():
        result = Result((ECHOED[name],), [(int(value),)])
    else:
        return None
    if name not in told:
        told.add(name)
        logger.info("PRAGMA %s has no effect here: the platform decides.", name)
    return result
