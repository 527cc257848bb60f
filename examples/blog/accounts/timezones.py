"""The time zones that readers can choose from.

The full IANA list has some six hundred names, most of them historical. This is a selection that
covers every offset in use today, grouped by region for the <select> element.
"""

from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

REGIONS = [
    (
        _("Europe"),
        """
        Europe/Amsterdam Europe/Athens Europe/Belgrade Europe/Berlin Europe/Brussels
        Europe/Bucharest Europe/Budapest Europe/Copenhagen Europe/Dublin Europe/Helsinki
        Europe/Istanbul Europe/Kyiv Europe/Lisbon Europe/London Europe/Madrid Europe/Oslo
        Europe/Paris Europe/Prague Europe/Rome Europe/Sofia Europe/Stockholm Europe/Vienna
        Europe/Warsaw Europe/Zurich
        """,
    ),
    (
        _("Americas"),
        """
        America/Anchorage America/Argentina/Buenos_Aires America/Bogota America/Caracas
        America/Chicago America/Denver America/Halifax America/Lima America/Los_Angeles
        America/Mexico_City America/Montevideo America/New_York America/Nuuk America/Phoenix
        America/Santiago America/Sao_Paulo America/St_Johns America/Toronto America/Vancouver
        """,
    ),
    (
        _("Africa"),
        """
        Africa/Abidjan Africa/Addis_Ababa Africa/Algiers Africa/Cairo Africa/Casablanca
        Africa/Johannesburg Africa/Lagos Africa/Nairobi Africa/Tunis
        """,
    ),
    (
        _("Asia"),
        """
        Asia/Almaty Asia/Baku Asia/Bangkok Asia/Dhaka Asia/Dubai Asia/Ho_Chi_Minh Asia/Hong_Kong
        Asia/Jakarta Asia/Jerusalem Asia/Kabul Asia/Karachi Asia/Kathmandu Asia/Kolkata
        Asia/Manila Asia/Riyadh Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Tashkent
        Asia/Tbilisi Asia/Tehran Asia/Tokyo Asia/Yangon
        """,
    ),
    (
        _("Oceania and the islands"),
        """
        Atlantic/Azores Atlantic/Canary Atlantic/Cape_Verde Atlantic/Reykjavik Australia/Adelaide
        Australia/Brisbane Australia/Darwin Australia/Eucla Australia/Lord_Howe
        Australia/Melbourne Australia/Perth Australia/Sydney Indian/Maldives Indian/Mauritius
        Indian/Reunion Pacific/Apia Pacific/Auckland Pacific/Chatham Pacific/Fiji Pacific/Guam
        Pacific/Honolulu Pacific/Kiritimati Pacific/Marquesas Pacific/Noumea Pacific/Pago_Pago
        Pacific/Tahiti
        """,
    ),
]


def city(name):
    """The part of a zone's name that people recognise: "Europe/Paris" is "Paris"."""
    return name.split("/", 1)[-1].replace("/", ", ").replace("_", " ")


def time_zone_choices():
    """Choices for a form field, grouped by region."""
    return [
        ("UTC", "UTC"),
        *((region, [(name, city(name)) for name in names.split()]) for region, names in REGIONS),
    ]


ALLOWED = frozenset(["UTC"]).union(*(names.split() for _region, names in REGIONS))


def get_time_zone(name):
    """The ZoneInfo called `name`, or None if it is not one of the zones on offer."""
    return ZoneInfo(name) if name in ALLOWED else None
