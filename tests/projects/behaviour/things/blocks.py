"""What atomic() promises, one view a promise. Each works on things whose names begin with its own name."""

import time

import js
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse

from django_on_workers import env, run_sync

from .models import Thing


def add(name):
    return Thing.objects.create(name=name)


def names(prefix):
    things = Thing.objects.filter(name__startswith=prefix).order_by("pk")
    return [thing.name for thing in things]


def broken(request):
    """A block in which a statement failed runs no other, until it is left."""
    found = {}
    try:
        with transaction.atomic():
            add("broken-1")
            try:
                add("broken-1")
            except IntegrityError:
                found["needs_rollback"] = connection.needs_rollback
            add("broken-2")
    except TransactionManagementError as error:
        found["refused"] = str(error)
    return JsonResponse(
        found | {"usable": not connection.needs_rollback, "names": names("broken-")}
    )


def savepoints(request):
    """Five levels of which the third fails; and savepoints by hand, two of them of one name."""

    def level(depth):
        with transaction.atomic():
            add(f"savepoints-{depth}")
            if depth < 5:
                try:
                    level(depth + 1)
                except LookupError:
                    if depth != 2:
                        raise
            if depth == 5:
                raise LookupError
            add(f"savepoints-{depth}-after")

    level(1)
    with transaction.atomic():
        kept = transaction.savepoint()
        add("savepoints-kept")
        undone = transaction.savepoint()
        add("savepoints-undone")
        transaction.savepoint()
        add("savepoints-undone-too")
        transaction.savepoint_rollback(undone)
        add("savepoints-again")
        transaction.savepoint_commit(kept)
        with connection.cursor() as cursor:
            for sql in (
                "SAVEPOINT twice",
                "INSERT INTO things_thing (name, amount) VALUES ('savepoints-raw-1', 1)",
                "SAVEPOINT twice",
                "INSERT INTO things_thing (name, amount) VALUES ('savepoints-raw-2', 1)",
                "ROLLBACK TO SAVEPOINT twice",
                "RELEASE SAVEPOINT twice",
                "RELEASE SAVEPOINT twice",
            ):
                cursor.execute(sql)
    return JsonResponse({"names": names("savepoints-")})


def durable(request):
    found = {}
    with transaction.atomic(durable=True):
        add("durable-outer")
        try:
            with transaction.atomic(durable=True):
                add("durable-inner")
        except RuntimeError as error:
            found["refused"] = str(error)
    return JsonResponse(found | {"names": names("durable-")})


def on_commit(request):
    """Run after the outermost commit, in order; those of a savepoint that is rolled back never."""
    calls = []

    def note(call):
        transaction.on_commit(lambda: calls.append([call, connection.in_atomic_block]))

    with transaction.atomic():
        note("first")
        with transaction.atomic():
            note("nested")
        try:
            with transaction.atomic():
                note("rolled back")
                raise LookupError
        except LookupError:
            pass
        transaction.on_commit(lambda: add("on_commit-from-hook"))
        calls.append(["end of block", True])
    try:
        with transaction.atomic():
            note("of a failed block")
            raise LookupError
    except LookupError:
        pass
    return JsonResponse({"calls": calls, "names": names("on_commit-")})


def locked(request):
    with transaction.atomic():
        thing = Thing.objects.select_for_update().get_or_create(name="locked-1")[0]
        time.sleep(0.002)
        thing.amount += 1
        thing.save()
    return HttpResponse(thing.amount)


def waits(request):
    """A block waits for timers, storage and the network, and is one block all the same."""
    with transaction.atomic():
        add("waits-1")
        time.sleep(0.01)
        run_sync(env.KV.put("in a block", "stored"))
        stored = run_sync(env.KV.get("in a block"))
        with transaction.atomic():
            response = run_sync(js.fetch(request.GET["url"]))
            add("waits-2")
        text = run_sync(response.text())
        with transaction.atomic():
            add("waits-3")
            transaction.set_rollback(True)
    return JsonResponse({"stored": stored, "text": text, "names": names("waits-")})


def slow(request):
    """Stays open beyond what the platform allows, inside a nested block or not."""
    how = request.GET["how"]
    found = {"refused": []}
    try:
        with transaction.atomic():
            add(f"slow-{how}-1")
            if how == "nested":
                with transaction.atomic():
                    add("slow-nested-2")
                    time.sleep(31)
                    add("slow-nested-3")
            else:
                time.sleep(31)
                if how == "statement":
                    add("slow-statement-2")
    except OperationalError as error:
        found["refused"].append(str(error))
    with transaction.atomic():
        add(f"slow-{how}-after")
    return JsonResponse(found | {"names": names(f"slow-{how}-")})


def gate(request, name):
    """Tell the test where this request is, and wait until it is let go on."""
    run_sync(js.fetch(f"{request.GET['gates']}/{name}"))


def held(request):
    """A block with two waits; it fails if it is told to."""
    number = request.GET["number"]
    try:
        with transaction.atomic():
            add(f"held-{number}-1")
            gate(request, f"held-{number}-1")
            add(f"held-{number}-2")
            gate(request, f"held-{number}-2")
            if "fail" in request.GET:
                raise LookupError
    except LookupError:
        pass
    return JsonResponse({"names": names(f"held-{number}-")})


def beside(request):
    """Writes without a block before and after a wait, and opens a block at the end."""
    number = request.GET["number"]
    add(f"beside-{number}-1")
    gate(request, f"beside-{number}-1")
    add(f"beside-{number}-2")
    gate(request, f"beside-{number}-2")
    with transaction.atomic():
        add(f"beside-{number}-3")
    return JsonResponse({"names": names(f"beside-{number}-")})


def whole_request(request):
    """For ATOMIC_REQUESTS: the view is the block."""
    how = request.GET["how"]
    add(f"request-{how}")
    if how == "fails":
        raise LookupError("after a write")
    return JsonResponse({"in_block": connection.in_atomic_block, "names": names("request-")})


@transaction.non_atomic_requests
def outside(request):
    add("request-outside")
    return JsonResponse({"in_block": connection.in_atomic_block, "names": names("request-")})


def streamed(request):
    """A block inside a response that streams for ever: the client decides when it ends."""

    def pieces():
        with transaction.atomic():
            add("streamed-1")
            while True:
                yield b"x" * 65536
                time.sleep(0.001)

    return StreamingHttpResponse(pieces())


def seen(request):
    return JsonResponse({"names": names(request.GET["prefix"])})
