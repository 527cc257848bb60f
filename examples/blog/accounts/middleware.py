from asgiref.sync import iscoroutinefunction
from django.utils import timezone
from django.utils.decorators import sync_and_async_middleware

from .timezones import get_time_zone

SESSION_KEY = "time_zone"


@sync_and_async_middleware
def TimeZoneMiddleware(get_response):  # noqa: N802 (named like Django's own in MIDDLEWARE)
    """Answer each request in the time zone that its reader has picked."""
    if iscoroutinefunction(get_response):

        async def middleware(request):
            zone = get_time_zone(await request.session.aget(SESSION_KEY))
            with timezone.override(zone):
                return await get_response(request)

    else:

        def middleware(request):
            zone = get_time_zone(request.session.get(SESSION_KEY))
            with timezone.override(zone):
                return get_response(request)

    return middleware
