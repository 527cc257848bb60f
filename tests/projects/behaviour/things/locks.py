"""What requests that interleave may only do one at a time."""

import queue
import threading
import time

from asgiref.sync import sync_to_async
from django.http import JsonResponse

from django_on_workers.runtime import locks

KINDS = {
    "Lock": threading.Lock(),
    "RLock": threading.RLock(),
    "Condition": threading.Condition(),
    "Semaphore": threading.Semaphore(),
}
jobs = {"Queue": queue.Queue(), "SimpleQueue": queue.SimpleQueue()}
inside = dict.fromkeys(KINDS, 0)


def _held(kind):
    """How many requests are inside a block of this lock that waits."""
    with KINDS[kind]:
        inside[kind] += 1
        seen = [inside[kind]]
        time.sleep(0.01)
        seen.append(inside[kind])
        inside[kind] -= 1
    return max(seen)


def held(request, kind):
    return JsonResponse({"inside": _held(kind)})


async def held_async(request, kind):
    return JsonResponse({"inside": await sync_to_async(_held)(kind)})


def held_long(request):
    """Hold a lock for longer than anybody is trusted here."""
    locks._GIVEN_UP = 0.3
    with KINDS["Lock"]:
        time.sleep(3)
    return JsonResponse({"held": True})


def taken(request):
    return JsonResponse({"taken": KINDS["Lock"].locked()})


def imported(request):
    from . import slow

    return JsonResponse({"whole": slow.WHOLE})


def job(request, kind):
    """Takes a job that another request puts there, or puts it."""
    if request.GET.get("put"):
        jobs[kind].put(request.GET["put"])
        return JsonResponse({})
    return JsonResponse({"job": jobs[kind].get(timeout=20)})
