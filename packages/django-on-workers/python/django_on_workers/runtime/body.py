"""The body of a request, read as the view asks for it."""

import io

from pyodide.ffi import run_sync

from django_on_workers._host import host

__all__ = ["RequestBody"]


class RequestBody(io.RawIOBase):
    """A WSGI input stream (PEP 3333) over the body of a ``Request``: pieces are fetched when they are needed."""

    def __init__(self, request_id: int):
        self._request_id = request_id
        self._buffer = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def _fetch(self) -> bool:
        if self._ended:
            return False
        piece = run_sync(host.read(self._request_id))
        if piece is None:
            self._ended = True
            return False
        self._buffer += piece.to_bytes()
        return True

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; all that is left without a size."""
        if size is None or size < 0:
            while self._fetch():
                pass
            data, self._buffer = self._buffer, b""
            return data
        while len(self._buffer) < size and self._fetch():
            pass
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def readinto(self, buffer) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readline(self, size: int = -1) -> bytes:
        """One line with its line break, or up to `size` bytes of it."""
        searched = 0
        while True:
            end = self._buffer.find(b"\n", searched) + 1
            if end:
                break
            if size is not None and 0 <= size <= len(self._buffer):
                end = size
                break
            searched = len(self._buffer)
            if not self._fetch():
                end = len(self._buffer)
                break
        if size is not None and 0 <= size < end:
            end = size
        data, self._buffer = self._buffer[:end], self._buffer[end:]
        return data
