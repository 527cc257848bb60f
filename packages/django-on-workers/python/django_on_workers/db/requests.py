"""Whose database it is."""

from django_on_workers._host import NoRequestError, request_id
from django_on_workers.db.sqlite.driver import DriverError

__all__ = ["served"]


def served() -> int:
    """
    Return the number of the request being served.

    Raises DriverError while a build imports the project: as where a database has not been made yet, which projects
    expect.
    """
    try:
        return request_id()
    except NoRequestError as error:
        raise DriverError(str(error)) from None
