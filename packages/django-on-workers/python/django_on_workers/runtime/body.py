"""The body of a request, read as the view asks for it."""

from collections.abc import Iterator

from django_on_workers._host import calls, done, packed

__all__ = ["RequestBody"]


class RequestBody:
    """A WSGI input stream over the body of a ``Request``: pieces are fetched when they are needed.

    It has the methods that PEP 3333 names. One of :mod:`io` has a finalizer, and would cost every request that.
    """

    __slots__ = ("_buffer", "_ended", "_request_id")

    def __init__(self, request_id: int):
        self._request_id = request_id
        self._buffer = b""
        self._ended = False

    def _fetch(self) -> bool:
        if self._ended:
            return False
        piece = done(calls.read(packed((self._request_id,))))
        if piece is None:
            self._ended = True
            return False
        self._buffer += piece
        return True

    def _take(self, size: int) -> bytes:
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes; all that is left without a size."""
        if size is None or size < 0:
            while self._fetch():
                pass
            size = len(self._buffer)
        while len(self._buffer) < size and self._fetch():
            pass
        return self._take(size)

    def readline(self, size: int | None = -1) -> bytes:
        """A line with its line break, or what is left; at most `size` bytes, if given."""
        limited = size is not None and size >= 0
        seen = 0
        while (end := self._buffer.find(b"\n", seen)) < 0:
            seen = len(self._buffer)
            if (limited and seen >= size) or not self._fetch():
                break
        end = end + 1 if end >= 0 else len(self._buffer)
        return self._take(min(end, size) if limited else end)

    def readlines(self, hint: int | None = -1) -> list[bytes]:
        """All lines that are left, or those that begin in the first `hint` bytes."""
        lines, total = [], 0
        for line in self:
            lines.append(line)
            total += len(line)
            if hint is not None and 0 < hint <= total:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")
