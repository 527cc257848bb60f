"""The project's ASGI application behind a Worker's ``fetch``. https://asgi.readthedocs.io/en/latest/specs/www.html"""

import asyncio
from urllib.parse import unquote

from pyodide.ffi import run_sync, to_js

from django_on_workers import env
from django_on_workers._host import calls, done, host, packed

from .head import parse
from .running_loop import real_loop

__all__ = ["server"]

_VERSIONS = {"version": "3.0", "spec_version": "2.4"}


def scope_of(text: str) -> dict:
    """The ASGI scope of a request."""
    head = parse(text)
    name, _, port = head.host.rpartition(":")
    if not name or "]" in port:
        name, port = head.host, 443 if head.scheme == "https" else 80
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in head.headers]
    return {
        "type": "http",
        "asgi": _VERSIONS,
        "http_version": "1.1",
        "method": head.method,
        "scheme": head.scheme,
        "path": unquote(head.path),
        "raw_path": head.path.encode("ascii"),
        "query_string": head.query.encode("ascii"),
        "root_path": "",
        "headers": headers,
        "client": (head.client, 0),
        "server": (name, int(port)),
        "extensions": {},
        "env": env,
    }


def server(application):
    """A function that serves one request with `application`."""

    def serve(request_id: int, head: str) -> None:
        run_sync(real_loop().create_task(_serve(application, request_id, head)))

    return serve


async def _serve(application, request_id: int, head: str) -> None:
    gone = asyncio.Event()
    read_all = False
    status, headers = None, []
    streaming = False

    async def receive():
        nonlocal read_all
        if read_all:
            # Nothing more comes but the end, and that is ours to tell.
            await gone.wait()
            return {"type": "http.disconnect"}
        piece = await host.read(request_id)
        if piece is None:
            read_all = True
            return {"type": "http.request", "body": b"", "more_body": False}
        return {"type": "http.request", "body": piece.to_bytes(), "more_body": True}

    async def send(message):
        nonlocal status, headers, streaming
        kind = message["type"]
        if kind == "http.response.start":
            status = int(message["status"])
            headers = [
                f"{name.decode('latin-1')}: {value.decode('latin-1')}"
                for name, value in message.get("headers", ())
            ]
        elif kind == "http.response.body":
            body = message.get("body", b"")
            more = message.get("more_body", False)
            if not streaming and not more:
                done(calls.respond(packed((request_id, status, "\n".join(headers))), bytes(body)))
                gone.set()
                return
            if not streaming:
                streaming = True
                done(calls.respond(packed((request_id, status, "\n".join(headers)))))
            if body:
                try:
                    await host.write(request_id, to_js(bytes(body)))
                except Exception:
                    # The client went away: tell the application, as ASGI has it.
                    gone.set()
                    raise OSError("The client closed the connection.") from None
            if not more:
                host.end(request_id)
                gone.set()

    await application(scope_of(head), receive, send)
    gone.set()
