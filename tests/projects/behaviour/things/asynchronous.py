import asyncio
import time

from asgiref.sync import async_to_sync, sync_to_async
from django.http import JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from django_on_workers import env, run_sync

from .models import Thing
from .views import describe, environment_of, piece


@csrf_exempt
async def echo(request):
    found = describe(request)
    await asyncio.sleep(0.001)
    found["count"] = await Thing.objects.acount()
    return JsonResponse(found)


async def stream(request):
    async def pieces():
        for number in range(3):
            yield f"piece {number}\n"
            while not await env.KV.get(f"released-{request.GET['id']}-{number}"):
                await asyncio.sleep(0.01)

    return StreamingHttpResponse(pieces(), content_type="text/plain")


async def endless(request):
    async def pieces():
        while True:
            yield piece()
            await asyncio.sleep(0.001)

    return StreamingHttpResponse(pieces())


async def callback(request):
    """A query, and a wait, from a callback of the event loop."""
    loop = asyncio.get_running_loop()
    counted, slept = loop.create_future(), loop.create_future()
    loop.call_soon(lambda: counted.set_result(Thing.objects.count()))
    loop.call_later(0.001, lambda: slept.set_result(time.sleep(0.001)))
    return JsonResponse({"count": await counted, "slept": await slept is None})


async def bindings(request):
    await env.KV.put("greeting", "hello")
    imported, through = await asyncio.gather(
        env.KV.get("greeting"), environment_of(request).KV.get("greeting")
    )
    return JsonResponse(
        {"imported": imported, "request": through, "variable": env.FROM_CONFIGURATION}
    )


def has_loop():
    """Whether packages would take this for asynchronous code."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


async def loops():
    """What asynchronous code finds, and what it calls, and what it leaves to the loop."""
    found = {"before": has_loop(), "called": await sync_to_async(has_loop)()}
    called = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(lambda: called.set_result(has_loop()))
    found["callback"] = await called
    found["task"] = await asyncio.create_task(asyncio.sleep(0.001, "slept"))
    await Thing.objects.acount()
    found["thread"] = await asyncio.to_thread(has_loop)
    found["nested"] = await sync_to_async(async_to_sync(inside))()
    return found | {"after": has_loop()}


async def inside():
    await asyncio.sleep(0.001)
    return has_loop()


async def asynchronous_loops(request):
    return JsonResponse(await loops())


def synchronous_loops(request):
    found = {"before": has_loop(), "entered": async_to_sync(loops)(), "between": has_loop()}
    found["waited"] = run_sync(loops())
    found["run"] = asyncio.run(inside())
    time.sleep(0.001)
    Thing.objects.count()
    return JsonResponse(found | {"after": has_loop()})
