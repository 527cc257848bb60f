"""One view an operation, as often as it is asked for: what a request itself costs is little beside that."""

import datetime
import json
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse

from . import language
from .models import Record, Written

ROWS = 1000


def fields(number):
    return {
        "title": f"Title of record {number}",
        "slug": f"record-{number}",
        "text": f"The text of record {number}, some words long. " * 2,
        "number": number,
        "price": Decimal(number) / 4,
        "ratio": number / 7,
        "active": number % 2 == 0,
        "created": datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.UTC)
        + datetime.timedelta(minutes=number),
        "day": datetime.date(2026, 1, 1) + datetime.timedelta(days=number % 365),
    }


def reset(request):
    """Leave what every measurement begins with."""
    Written.objects.all().delete()
    if Record.objects.count() != ROWS:
        Record.objects.all().delete()
        Record.objects.bulk_create([Record(pk=n, **fields(n)) for n in range(1, ROWS + 1)])
    return HttpResponse()


def one_row():
    list(Record.objects.filter(slug="record-500", pk=500))


def thousand_rows():
    list(Record.objects.all())


def bulk_create():
    Written.objects.bulk_create([Written(**fields(n)) for n in range(ROWS)])


def thousand_gets():
    for number in range(1, ROWS + 1):
        Record.objects.get(pk=number)


OPERATIONS = {
    operation.__name__: operation
    for operation in (one_row, thousand_rows, bulk_create, thousand_gets)
}


def measure(request, what, count):
    operation = OPERATIONS[what]
    for _ in range(count):
        operation()
    return HttpResponse()


noted = []


def note(request):
    """Take the statements, with their parameters, that a database has received."""
    noted[:] = json.loads(request.body)
    return HttpResponse()


def replay(request, times):
    """Send them again, so many times, and read their results."""
    with connection.cursor() as cursor:
        for _ in range(times):
            for sql, parameters in noted:
                cursor.execute(sql, parameters)
                cursor.fetchall()
    return HttpResponse()


def compute(request):
    return HttpResponse(repr(language.work()))


def signed_in(get_response):
    """Every request is one of the same administrator's."""

    def middleware(request):
        request.user = User(pk=1, username="bench", is_staff=True, is_superuser=True)
        return get_response(request)

    return middleware
