import bisect
import datetime
import hashlib
import logging
import os
import random
import secrets
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor, as_completed
from wsgiref.handlers import BaseHandler

import django
from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.core import signing
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.http import (
    FileResponse,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import translation
from django.views.debug import ExceptionReporter
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import last_modified

from django_on_workers import env, run_sync
from django_on_workers.runtime.adaptations import ADAPTATIONS

from . import token
from .models import Thing

logger = logging.getLogger("things")


def describe(request):
    """What arrived, as JSON can say it."""
    return {
        "method": request.method,
        "path": request.path,
        "query": request.GET.dict() | {"list": request.GET.getlist("list")},
        "post": {name: request.POST.getlist(name) for name in request.POST},
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "cookies": request.COOKIES,
        "scheme": request.scheme,
        "secure": request.is_secure(),
        "host": request.get_host(),
        "absolute": request.build_absolute_uri(),
        "remote": request.META["REMOTE_ADDR"],
        "length": request.META.get("CONTENT_LENGTH", ""),
    }


@csrf_exempt
def echo(request):
    found = describe(request)
    if request.content_type == "application/json":
        found["body"] = request.body.decode()
    return JsonResponse(found)


@csrf_exempt
def upload(request):
    files = {}
    for name, file in request.FILES.items():
        digest = hashlib.sha256()
        for piece in file.chunks():
            digest.update(piece)
        files[name] = {
            "name": file.name,
            "size": file.size,
            "type": file.content_type,
            "sha256": digest.hexdigest(),
        }
    return JsonResponse({"files": files, "fields": request.POST.dict()})


def cookies(request):
    response = HttpResponse("cookies")
    response.set_cookie("first", "1, and a comma")
    response.set_cookie("second", "2", httponly=True, samesite="Strict", path="/cookies/")
    response.delete_cookie("third")
    response["Link"] = "</a>; rel=next"
    return response


def go(request):
    return HttpResponseRedirect(request.GET.get("to", "/echo/?from=go"))


@gzip_page
def packed(request):
    """Compressed by Django, if the client takes that: whole, or in pieces."""
    text = b"text " * 400
    return StreamingHttpResponse([text]) if "stream" in request.GET else HttpResponse(text)


def stream(request):
    def pieces():
        for number in range(3):
            yield f"piece {number}\n"
            # The next piece is made when the client asked for it.
            while not run_sync(env.KV.get(f"released-{request.GET['id']}-{number}")):
                time.sleep(0.01)

    return StreamingHttpResponse(pieces(), content_type="text/plain")


def release(request):
    run_sync(env.KV.put(request.GET["key"], "yes"))
    return HttpResponse()


produced = 0


def piece():
    global produced
    produced += 1
    return b"x" * 65536


def endless(request):
    def pieces():
        while True:
            yield piece()
            time.sleep(0.001)

    return StreamingHttpResponse(pieces())


def count_produced(request):
    return JsonResponse({"produced": produced})


def file(request):
    opened = tempfile.NamedTemporaryFile(suffix=".txt")  # noqa: SIM115 - the response closes it
    opened.write(b"line\n" * 50_000)
    opened.seek(0)
    return FileResponse(opened, as_attachment=True, filename="größe.txt")


def status(request, status):
    return HttpResponse("" if status in (204, 304) else f"status {status}", status=status)


@last_modified(lambda request: datetime.datetime(2026, 1, 1))
def modified(request):
    return HttpResponse("modified")


def rest(request, rest):
    return JsonResponse({"rest": rest, "path": request.path})


def bindings(request):
    run_sync(env.KV.put("greeting", "hello"))
    return JsonResponse(
        {
            "imported": run_sync(env.KV.get("greeting")),
            "request": run_sync(environment_of(request).KV.get("greeting")),
            "variable": env.FROM_CONFIGURATION,
        }
    )


def environment_of(request):
    """Under WSGI it is in the environ, under ASGI in the scope."""
    return request.scope["env"] if hasattr(request, "scope") else request.environ["env"]


def settings_seen(request):
    return JsonResponse(
        {
            "SECRET_KEY": settings.SECRET_KEY,
            "API_TOKEN": settings.API_TOKEN,
            "FROM_CONFIGURATION": settings.FROM_CONFIGURATION,
            "signed": signing.dumps("x"),
            "elsewhere": token.read(),
            "later": [settings.THINGS_LIMIT, settings.THINGS_KINDS],
            "copied": BaseHandler.os_environ.get("API_TOKEN"),
        }
    )


def randomness(request):
    return JsonResponse(
        {
            "random": random.random(),
            "secrets": secrets.token_hex(8),
            "uuid": str(uuid.uuid4()),
            "shared": SHARED.random(),
        }
    )


#: Seeded while the image is made, as libraries do.
SHARED = random.Random()


def late(request):
    from things.late import ANSWER

    with translation.override(request.GET.get("language", "en")):
        return render(request, "late.html", {"answer": ANSWER}, content_type="text/plain")


def relative(request):
    """A file by its path in the project, as servers are started in its folder."""
    with open("things/fixtures/three.json") as file:
        return HttpResponse(file.read())


def rare(request):
    """C's functions that few requests call, on the stack while it waits."""

    def key(value):
        time.sleep(0.02)
        return value

    place = bisect.bisect_left([1, 3, 5, 7], int(request.GET["value"]), key=key)
    total = eval(compile("sum(map(key, [1, 2, 3]))", "rare", "eval"), {"key": key})
    return JsonResponse({"place": place, "total": total})


def french(request):
    with translation.override("fr"):
        return HttpResponse(translation.gettext("Good morning"))


def log(request):
    print("a printed line")
    logger.debug("a debug record")
    logger.info("an info record")
    logger.warning("a warning record")
    logger.error("an error record")
    logging.getLogger("elsewhere").error("an error that nobody handles")
    return HttpResponse("logged")


def broken(request):
    raise ValueError("distinctive-failure")


def report(request):
    """What Django mails to the ADMINS after an error that began in one of its own modules."""
    try:
        reverse("no-such-name")
    except NoReverseMatch:
        return HttpResponse(ExceptionReporter(request, *sys.exc_info()).get_traceback_html())


def trap(request):
    """Ends the interpreter: for good, whatever Python does."""
    if request.GET["how"] == "exit":
        raise SystemExit(3)
    os.abort()


def things(request):
    return JsonResponse(list(Thing.objects.order_by("id").values("name", "amount")), safe=False)


def transactions(request, how):
    Thing.objects.filter(name__startswith=f"{how}-").delete()
    try:
        with transaction.atomic():
            Thing.objects.create(name=f"{how}-outer")
            if how == "nested":
                try:
                    with transaction.atomic():
                        Thing.objects.create(name=f"{how}-inner")
                        Thing.objects.create(name=f"{how}-outer")
                except IntegrityError:
                    Thing.objects.create(name=f"{how}-after")
            if how == "rollback":
                raise LookupError
            if how == "trapped":
                os.abort()
            if how == "marked":
                transaction.set_rollback(True)
    except LookupError:
        pass
    names = Thing.objects.filter(name__startswith=f"{how}-").order_by("id")
    return JsonResponse({"names": [thing.name for thing in names], "vendor": connection.vendor})


def transfer(request):
    """Reads, waits and writes: without isolation updates get lost. Every third one is rolled back."""
    number = int(request.GET["number"])
    try:
        with transaction.atomic():
            thing = Thing.objects.get(name="account")
            time.sleep(0.005)
            Thing.objects.filter(pk=thing.pk).update(amount=thing.amount + 1)
            Thing.objects.create(name=f"transfer-{number}")
            time.sleep(0.002)
            if number % 3 == 0:
                raise LookupError
            Thing.objects.filter(pk=thing.pk).update(amount=F("amount") + 10)
    except LookupError:
        return HttpResponse("rolled back")
    return HttpResponse("committed")


def adaptations(request):

    return JsonResponse(
        {
            "django": django.get_version(),
            "problems": {adaptation.name: adaptation.check() for adaptation in ADAPTATIONS},
        }
    )


def pool(request):
    """Work for threads, which there are none of: its results, what it raises, and that it may wait."""

    def work(number):
        time.sleep(0.001)
        Thing.objects.count()
        return 12 // number

    local = []
    with ThreadPoolExecutor(2, initializer=local.append, initargs=[1]) as executor:
        found = [
            future.result() for future in as_completed(executor.submit(work, n) for n in (1, 2))
        ]
        mapped = list(executor.map(work, [3, 4]))
        failed = executor.submit(work, 0)
    try:
        executor.submit(work, 1)
    except RuntimeError as error:
        closed = str(error)
    return JsonResponse(
        {
            "found": sorted(found),
            "mapped": mapped,
            "failed": type(failed.exception()).__name__,
            "closed": closed,
            "initialized": bool(local),
        }
    )


def password(request):
    """A hash made by CPython with OpenSSL is accepted here, and one made here is of its form."""
    made = make_password("päss word")
    return JsonResponse(
        {
            "given": check_password("päss word", request.GET["hash"]),
            "wrong": check_password("pass word", request.GET["hash"]),
            "made": made,
            "own": check_password("päss word", made),
        }
    )


#: Made anew when the interpreter is, which the image's own state is not.
interpreter = None


def identity(request):
    global interpreter
    interpreter = interpreter or secrets.token_hex()
    return HttpResponse(interpreter)


def garbage(request):
    """Leaves two thousand lists behind that only a collection can free."""
    for _ in range(2000):
        itself = []
        itself.append(itself)
    return HttpResponse("Left.")
