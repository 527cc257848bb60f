"""What one request writes and reads again, and what the next one reads."""

from django.db import connection
from django.http import JsonResponse

from .models import Thing


def write(request):
    """Writes and reads in turns."""
    found = []
    for number in range(3):
        Thing.objects.create(name=f"session-{request.GET['name']}-{number}")
        found.append(
            Thing.objects.filter(name__startswith=f"session-{request.GET['name']}").count()
        )
    connection.close()
    found.append(Thing.objects.filter(name__startswith=f"session-{request.GET['name']}").count())
    return JsonResponse({"found": found})


def read(request):
    things = Thing.objects.filter(name__startswith=f"session-{request.GET['name']}")
    return JsonResponse({"found": things.count()})


async def awrite(request):
    await Thing.objects.acreate(name=f"session-{request.GET['name']}-async")
    return await aread(request)


async def aread(request):
    things = Thing.objects.filter(name__startswith=f"session-{request.GET['name']}")
    return JsonResponse({"found": await things.acount()})
