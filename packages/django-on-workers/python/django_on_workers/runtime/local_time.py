"""``time.tzset``, which Pyodide's ``time`` lacks: Django sets it to the project's ``TIME_ZONE``.

The C library's local time is the runtime's, see ``src/runtime/python/local-time.ts``.
"""

import os
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

__all__ = ["tzset"]


def tzset():
    """Take the zone that the environment variable TZ names for local time; one that is unknown stands for UTC."""
    from django_on_workers._host import host

    name = os.environ.get("TZ", "UTC")
    if not host.set_time_zone(name) or name == "UTC":
        time.timezone = time.altzone = time.daylight = 0
        time.tzname = ("UTC", "UTC")
        return
    year = time.gmtime().tm_year
    zone = ZoneInfo(name)
    winter, summer = sorted(
        (datetime(year, month, 1, tzinfo=UTC).astimezone(zone) for month in (1, 7)),
        key=datetime.utcoffset,
    )
    time.timezone = -int(winter.utcoffset().total_seconds())
    time.altzone = -int(summer.utcoffset().total_seconds())
    time.daylight = int(time.timezone != time.altzone)
    time.tzname = (winter.tzname(), summer.tzname())
