"""The driver for a Durable Object's SQLite: the storage of the object that serves the request."""

from collections.abc import Sequence
from marshal import dumps

from django.db.backends.base.creation import TEST_DATABASE_PREFIX

from django_on_workers._host import MARSHAL, HostError, calls, done, host, packed
from django_on_workers.db.requests import served
from django_on_workers.db.results import result
from django_on_workers.db.sqlite.driver import Driver, DriverError, Result, type_of_value


def connect(settings_dict: dict) -> Driver:
    """
    Return an open driver for the storage of the object that serves the request.

    Raises DriverError where a test database is asked for outside an object that exists for tests,
    or a real one inside it: the storage of an object is one database.
    """
    request = served()
    wanted = settings_dict["NAME"].startswith(TEST_DATABASE_PREFIX)
    if wanted and not host.object_for_tests(request):
        raise DriverError(
            f"{settings_dict['NAME']} is a test database, and this Durable Object holds the site's data: "
            "run tests with 'django-on-workers manage test', which gives them an object of their own"
        )
    if not wanted and host.object_for_tests(request):
        raise DriverError(
            f"{settings_dict['NAME']} is not a test database, and this Durable Object exists for tests"
        )
    return StorageDriver(request)


class StorageDriver:
    """Statements go to ``storage.sql``, transactions to ``storage.transaction()``, which nests."""

    def __init__(self, request: int):
        self._request = request
        self._in_transaction = False
        #: Open savepoints, innermost last; each is a nested transaction of the storage.
        self._savepoints: list[str] = []

    def execute(self, sql: str, params: Sequence[type_of_value]) -> Result:
        statement = dumps((self._request, sql, *params), MARSHAL)
        return result(self._request, calls.object_query(statement), sql, params)

    def batch(self, statements: Sequence[tuple[str, Sequence[type_of_value]]]) -> list[Result]:
        self.begin()
        try:
            results = [self.execute(sql, params) for sql, params in statements]
        except BaseException:
            self.rollback()
            raise
        self.commit()
        return results

    def begin(self) -> None:
        self._wait(calls.object_begin)
        self._in_transaction = True

    def commit(self) -> None:
        self._wait(calls.object_commit, 0)
        self._ended()

    def rollback(self) -> None:
        try:
            self._wait(calls.object_rollback, 0)
        finally:
            self._ended()

    def savepoint(self, name: str) -> None:
        self._wait(calls.object_begin)
        self._savepoints.append(name)

    def release(self, name: str) -> None:
        self._end(calls.object_commit, name)

    def rollback_to(self, name: str) -> None:
        self._end(calls.object_rollback, name)
        self.savepoint(name)

    def close(self) -> None:
        if self._in_transaction:
            self.rollback()

    def _ended(self) -> None:
        self._in_transaction = False
        self._savepoints.clear()

    def _end(self, how, name: str) -> None:
        """End a savepoint, and those inside it."""
        for index in reversed(range(len(self._savepoints))):
            if self._savepoints[index] == name:
                # The transaction is open too, as the outermost level.
                self._wait(how, index + 1)
                del self._savepoints[index:]
                return
        raise DriverError(f"no such savepoint: {name}: SQLITE_ERROR")

    def _wait(self, call, *depth: int) -> None:
        try:
            done(call(packed((self._request, *depth))))
        except HostError as error:
            raise DriverError(str(error)) from None
