"""Lets a visitor see what they have written, whichever replica serves them."""

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.db import connections
from django.utils.decorators import sync_and_async_middleware

COOKIE = "d1_bookmark"
SALT = "django_on_workers.db.d1.bookmark"
#: Seconds. Replicas are behind for less.
MAX_AGE = 600


@sync_and_async_middleware
def bookmarks(get_response):
    """
    Start a request's D1 session where the same visitor's last write ended.

    The bookmark travels in a signed cookie, one for each database that has
    ``OPTIONS["session"]``. Only responses to requests that wrote set it.
    """
    if iscoroutinefunction(get_response):

        async def middleware(request):
            _take(request)
            return _give(await get_response(request))

    else:

        def middleware(request):
            _take(request)
            return _give(get_response(request))

    return middleware


def _sessions():
    for connection in connections.all():
        if getattr(connection, "session_constraint", None) is not None:
            yield connection, f"{COOKIE}_{connection.alias}"


def _take(request):
    for connection, name in _sessions():
        connection.bookmark = request.get_signed_cookie(
            name, default=None, salt=SALT, max_age=MAX_AGE
        )


def _give(response):
    for connection, name in _sessions():
        bookmark = connection.written_bookmark()
        if bookmark is not None:
            response.set_signed_cookie(
                name,
                bookmark,
                salt=SALT,
                max_age=MAX_AGE,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
    return response
