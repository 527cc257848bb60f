"""The example under native CPython: the other side of each ratio.

``native.py serve MODULE:ATTRIBUTE`` reads JSON lines, ``{"path": …, "count": …}``, and answers each with
``{"seconds": …}``: the time of `count` requests, in process, each with its body read and closed.

``native.py http MODULE:ATTRIBUTE PORT`` serves HTTP on that port of loopback.
"""

import io
import json
import os
import sys
import time
from importlib import import_module
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server


def environ_of(path: str) -> dict:
    """What a server gives to a WSGI application for a GET request of `path`."""
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8787",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost:8787",
        "HTTP_ACCEPT": "text/html",
        "HTTP_USER_AGENT": "bench",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def request(application, path: str) -> None:
    """Serve one request. Raises SystemExit if it is not answered with 200."""
    lines = []
    response = application(environ_of(path), lambda line, headers: lines.append(line))
    b"".join(response)
    response.close()
    if not lines[0].startswith("200 "):
        raise SystemExit(f"{path} answered {lines[0]}")


def serve(application) -> None:
    """Measure what standard input asks for."""
    for line in sys.stdin:
        asked = json.loads(line)
        started = time.perf_counter()
        for _ in range(asked["count"]):
            request(application, asked["path"])
        print(json.dumps({"seconds": time.perf_counter() - started}), flush=True)


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *args):
        """Say nothing."""


def http(application, port: str) -> None:
    """Serve until killed."""
    make_server("127.0.0.1", int(port), application, _Server, _Quiet).serve_forever()


def main() -> None:
    """Do what the arguments say."""
    what, target, *rest = sys.argv[1:]
    module, _, attribute = target.partition(":")
    sys.path.insert(0, os.getcwd())
    application = getattr(import_module(module), attribute)
    {"serve": serve, "http": http}[what](application, *rest)


main()
