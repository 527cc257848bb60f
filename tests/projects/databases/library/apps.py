import os
import time

from django.apps import AppConfig
from django.db.backends.signals import connection_created

STEPS = ("execute", "batch", "begin", "commit", "rollback", "savepoint", "release", "rollback_to")


class LibraryConfig(AppConfig):
    name = "library"

    def ready(self):
        connection_created.connect(count_steps)


def count_steps(connection, **kwargs):
    """
    Number what is asked of the database; at STOP_AT say so and wait for the process's end.

    On the console: what a command prints waits until its transaction has ended.
    """
    stop = int(os.environ.get("STOP_AT", "0"))
    if not stop:
        return
    from js import console

    driver, count = connection.connection.driver, 0

    def counting(method):
        def step(*args):
            nonlocal count
            count += 1
            if count == stop:
                console.log(f"stopped before step {count}: {method.__name__} {str(args)[:60]}")
                time.sleep(25)
                raise AssertionError("nobody ended this process")
            return method(*args)

        return step

    for name in STEPS:
        setattr(driver, name, counting(getattr(driver, name)))
