"""Results of many rows, read a piece at a time."""

import time

import pyodide_js
from django.db import connection
from django.db.models import F
from django.http import JsonResponse, StreamingHttpResponse

from django_on_workers import env, run_sync
from things.models import Thing

#: Rows of 100 characters and two numbers.
FILL = """
INSERT INTO things_thing (name, amount)
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < %s)
SELECT printf('%%0100d', n), n FROM numbers
"""


def memory():
    """Linear memory, in bytes: it never shrinks."""
    return pyodide_js._module.HEAPU8.byteLength


def fill(request):
    Thing.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(FILL, [int(request.GET["rows"])])
    return JsonResponse({"rows": Thing.objects.count(), "memory": memory()})


def iterate(request):
    """Reads all rows; in between other queries run, and rows that were read are written and deleted."""
    count = total = 0
    seen = []
    for thing in Thing.objects.order_by("pk").iterator():
        count += 1
        total += thing.amount
        if count % 10_000 == 0:
            seen.append(Thing.objects.filter(amount__lte=thing.amount).count())
            Thing.objects.filter(pk=thing.pk).update(amount=0)
            Thing.objects.filter(pk=thing.pk - 1).delete()
            within = Thing.objects.order_by("-pk").values_list("amount", flat=True).iterator()
            seen.append(next(within))
            seen.append(next(within))
    return JsonResponse({"count": count, "total": total, "seen": seen, "memory": memory()})


def late(request):
    """Large integers beyond the first piece, while the rows before them are deleted."""
    found = []
    Thing.objects.filter(amount__gt=int(request.GET["after"])).update(amount=F("amount") + 2**53)
    for thing in Thing.objects.order_by("pk").iterator():
        found.append(thing.amount)
        if len(found) % 100 == 0:
            Thing.objects.filter(pk__lt=thing.pk).delete()
    small = [number for number in found if number < 2**53]
    large = [number - 2**53 for number in found if number > 2**53]
    return JsonResponse({"in_order": found == sorted(found), "small": len(small), "large": large})


def abandon(request):
    """Stops half-way, and then changes the schema, which an open query would not let."""
    for thing in Thing.objects.order_by("pk").iterator():
        if thing.amount == int(request.GET["at"]):
            break
    with connection.cursor() as unread, connection.cursor() as cursor:
        unread.execute("SELECT name FROM things_thing ORDER BY id")
        first = unread.fetchone()
        unread.close()
        cursor.execute("SELECT name FROM things_thing ORDER BY id")
        cursor.execute("CREATE TABLE dropped (a integer)")
        cursor.execute("DROP TABLE dropped")
        cursor.execute("SELECT name, amount FROM things_thing ORDER BY id")
        pieces = [len(cursor.fetchmany(7000)), len(cursor.fetchmany(1)), len(cursor.fetchall())]
        pieces.append(len(cursor.fetchall()))
    return JsonResponse({"at": thing.amount, "first": first, "pieces": pieces})


def leave(request):
    """Leaves a query open that the end of the request has to give up."""
    cursor = connection.cursor()
    cursor.execute("SELECT name FROM things_thing")
    itself = [cursor]
    itself.append(itself)
    return JsonResponse({"first": cursor.fetchone()})


def stream(request):
    """Each piece is written and read with parameters; the next one is made when the client asked for it."""
    prefix = request.GET["id"]

    def pieces():
        for number in range(3):
            name = f"{prefix}-{number}"
            Thing.objects.create(name=name, amount=number)
            found = Thing.objects.get(name=name, amount=number)
            total = Thing.objects.filter(name__startswith=f"{prefix}-").count()
            yield f"{found.name}: {found.amount} of {total}\n"
            while not run_sync(env.KV.get(f"released-{prefix}-{number}")):
                time.sleep(0.01)

    return StreamingHttpResponse(pieces(), content_type="text/plain")
