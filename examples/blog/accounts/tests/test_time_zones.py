from zoneinfo import ZoneInfo

from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpResponse
from django.test import AsyncClient, RequestFactory, SimpleTestCase
from django.utils import timezone

from accounts.forms import TimeZoneForm
from accounts.middleware import SESSION_KEY, TimeZoneMiddleware
from accounts.timezones import ALLOWED, city, get_time_zone, time_zone_choices
from blog.tests.base import BlogTestCase, utc


class ZoneListTests(SimpleTestCase):
    def test_every_zone_exists(self):
        for name in sorted(ALLOWED):
            self.assertEqual(get_time_zone(name), ZoneInfo(name))

    def test_others_are_refused(self):
        for name in (None, "", "Europe/Atlantis", "../../etc/passwd", "EST5EDT"):
            with self.subTest(name=name):
                self.assertIsNone(get_time_zone(name))

    def test_choices_are_grouped(self):
        first, *groups = time_zone_choices()
        self.assertEqual(first, ("UTC", "UTC"))
        names = [name for _region, zones in groups for name, _city in zones]
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual({"UTC", *names}, ALLOWED)

    def test_cities(self):
        self.assertEqual(city("America/New_York"), "New York")
        self.assertEqual(city("America/Argentina/Buenos_Aires"), "Argentina, Buenos Aires")
        self.assertEqual(city("UTC"), "UTC")

    def test_form(self):
        self.assertTrue(TimeZoneForm({"time_zone": "Pacific/Chatham"}).is_valid())
        form = TimeZoneForm({"time_zone": "Mars/Olympus_Mons"})
        self.assertFormError(
            form,
            "time_zone",
            "Select a valid choice. Mars/Olympus_Mons is not one of the available choices.",
        )


class TimeZoneTests(BlogTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.post = cls.make_post("Late", publish_at=utc(2025, 12, 31, 23, 30))

    def pick(self, zone):
        return self.client.post("/accounts/preferences/", {"time_zone": zone}, follow=True)

    def test_utc_by_default(self):
        response = self.client.get("/posts/late/")
        self.assertContains(response, "Dec. 31, 2025, 11:30 p.m.")
        self.assertContains(response, "Time zone: UTC")

    def test_picked_zone_is_used_everywhere(self):
        response = self.pick("Asia/Kolkata")
        self.assertContains(response, "Dates and times are now shown for Kolkata.")
        response = self.client.get("/posts/late/")
        self.assertContains(response, "Jan. 1, 2026, 5 a.m.")
        self.assertContains(response, "2026-01-01T05:00:00+05:30")
        self.assertContains(response, "Time zone: Asia/Kolkata")

    def test_archive_follows_the_zone(self):
        self.assertEqual(self.client.get("/archive/2025/12/").status_code, 200)
        self.assertEqual(self.client.get("/archive/2026/1/").status_code, 404)
        self.pick("Asia/Tokyo")
        self.assertEqual(self.client.get("/archive/2025/12/").status_code, 404)
        response = self.client.get("/archive/2026/1/")
        self.assertQuerySetEqual(response.context["posts"], [self.post])
        months = self.client.get("/archive/").context["date_list"]
        self.assertEqual([(month.year, month.month) for month in months], [(2026, 1)])

    def test_daylight_saving_time(self):
        self.post.publish_at = utc(2026, 7, 1, 12)
        self.post.save()
        self.pick("Europe/Paris")
        self.assertContains(self.client.get("/posts/late/"), "July 1, 2026, 2 p.m.")

    def test_bad_zone_changes_nothing(self):
        response = self.client.post("/accounts/preferences/", {"time_zone": "Europe/Atlantis"})
        self.assertEqual(response.status_code, 200)
        self.assertNotIn(SESSION_KEY, self.client.session)

    def test_nonsense_in_the_session_is_ignored(self):
        session = SessionStore()
        session[SESSION_KEY] = "Europe/Atlantis"
        session.save()
        self.client.cookies["sessionid"] = session.session_key
        self.assertContains(self.client.get("/"), "Time zone: UTC")

    def test_profile_remembers_the_zone(self):
        user = self.make_user(password="secret")
        self.client.login(username="ada", password="secret")
        self.pick("America/Lima")
        user.profile.refresh_from_db()
        self.assertEqual(user.profile.time_zone, "America/Lima")
        self.client.logout()
        self.assertContains(self.client.get("/"), "Time zone: UTC")
        self.client.login(username="ada", password="secret")
        self.assertContains(self.client.get("/"), "Time zone: America/Lima")

    def test_zone_does_not_leak_into_the_next_request(self):
        self.pick("Asia/Tokyo")
        self.client.get("/")
        self.assertEqual(timezone.get_current_timezone_name(), "UTC")
        self.assertContains(self.client_class().get("/"), "Time zone: UTC")

    async def test_through_asgi(self):
        client = AsyncClient()
        await client.post("/accounts/preferences/", {"time_zone": "Asia/Tokyo"})
        response = await client.get("/posts/late/")
        self.assertContains(response, "Jan. 1, 2026, 8:30 a.m.")


class MiddlewareTests(BlogTestCase):
    def request(self, zone):
        request = RequestFactory().get("/")
        request.session = SessionStore()
        if zone:
            request.session[SESSION_KEY] = zone
        return request

    def test_sync(self):
        middleware = TimeZoneMiddleware(
            lambda request: HttpResponse(timezone.get_current_timezone_name())
        )
        self.assertEqual(middleware(self.request("Asia/Tokyo")).text, "Asia/Tokyo")
        self.assertEqual(middleware(self.request(None)).text, "UTC")

    async def test_async(self):
        async def view(request):
            return HttpResponse(timezone.get_current_timezone_name())

        response = await TimeZoneMiddleware(view)(self.request("Asia/Tokyo"))
        self.assertEqual(response.text, "Asia/Tokyo")

    def test_zone_is_put_back_after_an_error(self):
        def view(request):
            raise ValueError

        with self.assertRaises(ValueError):
            TimeZoneMiddleware(view)(self.request("Asia/Tokyo"))
        self.assertEqual(timezone.get_current_timezone_name(), "UTC")
