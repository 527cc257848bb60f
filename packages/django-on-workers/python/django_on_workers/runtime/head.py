"""The head of a request as it crosses from JavaScript: lines of one string.

    method
    scheme
    host (name and port, as in the URL)
    client address
    path, percent-encoded
    query string, without the question mark
    header: value
    …

Header names are in lower case; their values hold no line breaks, the platform sees to that.
"""

from typing import NamedTuple

__all__ = ["Head", "parse"]


class Head(NamedTuple):
    """A parsed head; `headers` in the order in which they came."""

    method: str
    scheme: str
    host: str
    client: str
    path: str
    query: str
    headers: list[tuple[str, str]]


def parse(head: str) -> Head:
    """Split `head` into its parts."""
    method, scheme, host, client, path, query, *lines = head.split("\n")
    headers = []
    for line in lines:
        name, _, value = line.partition(": ")
        headers.append((name, value))
    return Head(method, scheme, host, client, path, query, headers)
