"""What a value of the environment may show of itself while an image is made: that it is a number, or a kind of URL.

A shape is a text with fields for what stands in the value's place: ``{number}`` for 8080, ``postgres://{text}:{text}@
{host}:{number}/{text}`` for a database's URL. So settings that take a number or a URL apart can do so, and none of the
value's own letters is in the image. One that has no field is the value itself: a plain yes or no, say, which tells
nothing about a secret and often decides what a project imports.
"""

import re
from collections.abc import Callable
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf.locale import LANG_INFO

__all__ = ["FIELD", "TEXT", "candidates", "shape_of"]

TEXT, HOST, NUMBER = "{text}", "{host}", "{number}"
FIELD = re.compile(r"\{(text|host|number)\}")

_OPPOSITES = (("0", "1"), ("false", "true"), ("no", "yes"), ("off", "on"))
_LEVELS = ("debug", "info", "warning", "error", "critical")
#: Words that say nothing about a secret, with others that mean something else.
_WORDS = {word: other for pair in _OPPOSITES for word, other in (pair, pair[::-1])} | {
    level: "debug" if level == "error" else "error" for level in _LEVELS
}
#: Those and the codes of languages.
_KNOWN = {"en-us", *LANG_INFO, *_WORDS}
#: Names of Django's own classes: a database's backend, a cache's.
_DJANGO = re.compile(r"django(?:\.\w+)+")
_NUMBER = re.compile(r"([+-]?)(\d+)(\.\d+)?")
_PARAMETER = re.compile(r"([\w.-]+)=(.*)")


def shape_of(value: str) -> str:
    """The shape of a variable's value."""
    if not value or value.lower() in _KNOWN or _DJANGO.fullmatch(value) or _is_zone(value):
        return value
    if number := _NUMBER.fullmatch(value):
        sign, whole, fraction = number.groups()
        # What is less than one stays so: a rate, a share.
        return (
            sign
            + (whole if fraction and int(whole) == 0 else NUMBER)
            + (f".{NUMBER}" if fraction else "")
        )
    if "," in value:
        shapes = [shape_of(each.strip()) for each in value.split(",")]
        return TEXT if TEXT in shapes else ",".join(shapes)
    return _url(value) or TEXT


def _is_zone(value: str) -> bool:
    """Whether it names a time zone."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _url(value: str) -> str | None:
    try:
        scheme, _, path, query, fragment = parts = urlsplit(value)
        user, password, host, port = parts.username, parts.password, parts.hostname, parts.port
    except ValueError:  # two hosts, or a port that is none
        return None
    if not value.lower().startswith(f"{scheme}://"):
        return None
    return "".join(
        (
            f"{scheme}://",
            TEXT if user else "",
            "" if password is None else f":{TEXT if password else ''}",
            "" if user is None else "@",
            HOST if host else "",
            "" if port is None else f":{NUMBER}",
            "/".join(map(shape_of, path.split("/"))),
            query and "?" + "&".join(map(_parameter, query.split("&"))),
            fragment and f"#{TEXT}",
        )
    )


def _parameter(text: str) -> str:
    match = _PARAMETER.fullmatch(text)
    return f"{match[1]}={shape_of(match[2])}" if match else TEXT


def candidates(shape: str | None, fill: Callable[[str], str]) -> list[str]:
    """Other values than one of this shape, or than none at all, for settings to try: likely ones first.

    `fill` makes a value of a shape that has fields.
    """
    if shape is not None and FIELD.search(shape):
        return [fill(shape)]
    other = _WORDS.get(shape.lower()) if shape else None
    if other is not None:
        return [other.upper() if shape.isupper() else other]
    return [fill(other) for other in (TEXT, NUMBER, f"https://{HOST}")]
