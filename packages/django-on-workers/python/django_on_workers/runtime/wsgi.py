"""The project's WSGI application behind a Worker's ``fetch``. PEP 3333; Django's ``WSGIHandler`` is the usual one."""

import sys
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from django_on_workers import env
from django_on_workers._host import calls, done, host, packed

from .body import RequestBody
from .head import parse

__all__ = ["server"]

_BASE = {
    "SCRIPT_NAME": "",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.version": (1, 0),
    "wsgi.multithread": False,
    # Requests interleave within one interpreter, as threads would; a framework must not keep state between two steps.
    "wsgi.multiprocess": True,
    "wsgi.run_once": False,
    "wsgi.errors": sys.stderr,
    "env": env,
}


@lru_cache(maxsize=512)
def _key(name: str) -> str | None:
    """The environ's key of a header, if it gets one."""
    # A header whose own name has an underscore could pose as another one; servers drop it.
    if "_" in name:
        return None
    key = name.replace("-", "_").upper()
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def environ_of(request_id: int, text: str) -> dict:
    """The WSGI environ of a request."""
    head = parse(text)
    name, _, port = head.host.rpartition(":")
    if not name or "]" in port:
        name, port = head.host, "443" if head.scheme == "https" else "80"
    environ = _BASE | {
        "REQUEST_METHOD": head.method,
        "PATH_INFO": (
            unquote_to_bytes(head.path).decode("latin-1") if "%" in head.path else head.path
        ),
        "QUERY_STRING": head.query,
        "REMOTE_ADDR": head.client,
        "SERVER_NAME": name,
        "SERVER_PORT": port,
        "wsgi.url_scheme": head.scheme,
        "wsgi.input": RequestBody(request_id),
        "CONTENT_TYPE": "",
        "CONTENT_LENGTH": "",
    }
    for name, value in head.headers:
        key = _key(name)
        if key is not None:
            environ[key] = value
    environ.setdefault("HTTP_HOST", head.host)
    return environ


def server(application):
    """A function that serves one request with `application`."""

    def serve(request_id: int, head: str) -> None:
        started = None
        written = []

        def start_response(status, headers, exc_info=None):
            nonlocal started
            if exc_info is not None and started is not None and started[2]:
                raise exc_info[1].with_traceback(exc_info[2])
            started = [int(status[:3]), headers, False]
            return written.append

        result = application(environ_of(request_id, head), start_response)
        try:
            if (
                getattr(result, "streaming", True) is False
            ):  # Django's HttpResponse: its body is there
                respond(
                    request_id,
                    started,
                    b"".join(written) + result.content if written else result.content,
                )
            elif isinstance(result, (list, tuple)):
                respond(request_id, started, b"".join([*written, *result]))
            else:
                stream(request_id, started, written, result)
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def stream(request_id, started, written, result):
        iterator = iter(result)
        # PEP 3333: the head goes out with the first piece, which may be the one that calls start_response.
        first = next(iterator, None)
        respond(request_id, started, None)
        for piece in written:
            write(request_id, piece)
        if first is not None:
            write(request_id, first)
            for piece in iterator:
                if piece:
                    write(request_id, piece)
        host.end(request_id)

    def write(request_id, piece):
        done(calls.write(packed((request_id,)), bytes(piece)))

    def respond(request_id, started, body):
        if started is None:
            raise RuntimeError("The WSGI application returned without calling start_response().")
        started[2] = True
        status, headers, _ = started
        lines = "\n".join([f"{name}: {value}" for name, value in headers])
        head = packed((request_id, status, lines))
        done(calls.respond(head) if body is None else calls.respond(head, bytes(body)))

    return serve
