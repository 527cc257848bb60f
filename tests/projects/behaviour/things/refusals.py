"""What the database refuses: which exception, with which message."""

import logging

from django.db import Error, connection, models, transaction
from django.db.models.functions import MD5
from django.http import HttpResponse, JsonResponse

from django_on_workers import storage

from .models import Thing

logger = logging.getLogger("things")

TABLES = (
    "CREATE TABLE IF NOT EXISTS parent (id integer PRIMARY KEY)",
    "CREATE TABLE IF NOT EXISTS child (id integer PRIMARY KEY, "
    "parent integer NOT NULL REFERENCES parent (id), "
    "number integer, CONSTRAINT small CHECK (number < 10), UNIQUE (parent, number))",
    "INSERT OR IGNORE INTO parent VALUES (1)",
    "DELETE FROM child",
    "INSERT INTO child VALUES (1, 1, 1)",
)

STATEMENTS = {
    "unique": ("INSERT INTO child VALUES (2, %s, %s)", [1, 1]),
    "primary key": ("INSERT INTO child VALUES (%s, 1, 2)", [1]),
    "foreign key": ("INSERT INTO child VALUES (3, 99, 1)", []),
    "not null": ("INSERT INTO child VALUES (3, NULL, 1)", []),
    "check": ("INSERT INTO child VALUES (3, 1, 11)", []),
    "mismatch": ("INSERT INTO parent VALUES (%s)", ["text"]),
    "no table": ("SELECT * FROM nowhere", []),
    "no column": ("SELECT missing FROM child", []),
    "syntax": ("SELEC 1", []),
    "too large": ("SELECT zeroblob(%s)", [2**30]),
    "parameters": ("SELECT %s", [1, 2]),
    "type": ("SELECT %s", [object]),
    "several": ("SELECT ';'; DELETE FROM child", None),
}


def name_of(error):
    """The class as its module and name, and the message."""
    return [f"{type(error).__module__}.{type(error).__name__}", str(error)]


def refuse(call, *args):
    try:
        call(*args)
    except (Error, OverflowError) as error:
        return name_of(error)
    return None


def every(request):
    with connection.cursor() as cursor:
        for sql in TABLES:
            cursor.execute(sql)
        found = {name: refuse(cursor.execute, *call) for name, call in STATEMENTS.items()}
        found["overflow"] = refuse(cursor.execute, "SELECT %s", [2**63])
        cursor.close()
        found["closed cursor"] = refuse(cursor.execute, "SELECT 1")
    found["no function"] = refuse(list, Thing.objects.annotate(hash=MD5("name")))
    found["model"] = refuse(Thing.objects.bulk_create, [Thing(name="twice"), Thing(name="twice")])
    found["usable"] = Thing.objects.filter(name="twice").count()
    return JsonResponse(found)


def late(request):
    """A foreign key that is broken until the end of a block: allowed while it is mended, refused by its commit."""
    with connection.cursor() as cursor:
        for sql in TABLES:
            cursor.execute(sql)
        with transaction.atomic():
            cursor.execute("INSERT INTO child VALUES (4, 2, 4)")
            cursor.execute("INSERT INTO parent VALUES (2)")

        def broken():
            with transaction.atomic():
                cursor.execute("INSERT INTO child VALUES (5, 98, 5)")

        refused = refuse(broken)
        cursor.execute("SELECT id FROM child ORDER BY id")
        children = [row[0] for row in cursor.fetchall()]
        cursor.execute("DELETE FROM child WHERE id = 4")
        cursor.execute("DELETE FROM parent WHERE id = 2")
    return JsonResponse({"refused": refused, "children": children})


def closed(request):
    """A connection that is closed opens again, but not inside a block."""
    connection.ensure_connection()
    connection.connection.close()
    count = Thing.objects.filter(name="nobody").count()

    def inside():
        with transaction.atomic():
            connection.connection.close()
            Thing.objects.count()

    refused = refuse(inside)
    return JsonResponse({"count": count, "refused": refused, "after": Thing.objects.count() >= 0})


def blocks(request):
    """For D1's OPTIONS["atomic"]."""

    def block():
        with transaction.atomic():
            Thing.objects.create(name="block-1")
            raise LookupError

    try:
        refused = refuse(block)
    except LookupError:
        refused = None
    names = Thing.objects.filter(name="block-1").values_list("name", flat=True)
    return JsonResponse({"refused": refused, "names": list(names)})


def full(request):
    """Fills the storage, which is made small for that."""
    storage.sql.setMaxPageCountForTest(200)
    try:
        for number in range(1000):
            Thing.objects.create(name=f"full-{number}", amount=models.Value(number))
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE IF NOT EXISTS large (content blob)")
                cursor.execute("INSERT INTO large VALUES (zeroblob(100000))")
    except Error as error:
        logger.error("%s: %s", *name_of(error))
    return HttpResponse("full")
