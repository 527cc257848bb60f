"""What code keeps for the request at hand, looked at again after others have run."""

import asyncio
import threading
import time
from contextvars import ContextVar

from asgiref.local import Local
from django.db import connection, transaction
from django.http import JsonResponse
from django.utils import timezone, translation

from .models import Thing

per_thread = threading.local()
#: By what packages tell threads apart.
by_thread = {}
by_ident = {}
per_request = Local()
variable = ContextVar("variable")

ZONES = ["Europe/Paris", "Asia/Tokyo", "America/New_York"]
LANGUAGES = ["en", "fr", "de"]


def enter(number):
    translation.activate(LANGUAGES[number % 3])
    timezone.activate(ZONES[number % 3])
    per_thread.number = per_request.number = number
    by_thread[threading.current_thread()] = by_ident[threading.get_ident()] = number
    variable.set(number)
    connection.number = number


def seen():
    return {
        "language": translation.get_language(),
        "zone": timezone.get_current_timezone_name(),
        "per_thread": getattr(per_thread, "number", None),
        "by_thread": by_thread.get(threading.current_thread()),
        "by_ident": by_ident.get(threading.get_ident()),
        "per_request": getattr(per_request, "number", None),
        "variable": variable.get(None),
        "connection": getattr(connection, "number", None),
        "in_atomic_block": connection.in_atomic_block,
    }


def leave():
    """As middleware does that keeps something by its thread."""
    del by_thread[threading.current_thread()], by_ident[threading.get_ident()]


def store(request, number):
    request.session["number"] = number
    request.session.save()


def mixed(request):
    number = int(request.GET["number"])
    before = seen()
    enter(number)
    looked = []
    store(request, number)
    for step in range(4):
        time.sleep((number * 7 + step * 3) % 5 / 1000)
        Thing.objects.count()
        looked.append(seen())
    inside = None
    if connection.features.supports_transactions:
        with transaction.atomic():
            time.sleep(0.001)
            inside = seen()["in_atomic_block"]
    leave()
    return JsonResponse(
        {
            "before": before,
            "looked": looked,
            "inside": inside,
            "session": request.session["number"],
            "user": str(request.user),
        }
    )


async def mixed_async(request):
    number = int(request.GET["number"])
    before = seen()
    enter(number)
    looked = []
    for step in range(4):
        await asyncio.sleep((number * 7 + step * 3) % 5 / 1000)
        await Thing.objects.acount()
        looked.append(seen())
    leave()
    return JsonResponse(
        {"before": before, "looked": looked, "inside": None, "user": str(await request.auser())}
    )
