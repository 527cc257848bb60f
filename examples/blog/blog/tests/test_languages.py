from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import SimpleTestCase
from django.utils import translation

from .base import BlogTestCase, utc


class LanguageTests(BlogTestCase):
    @classmethod
    def setUpTestData(cls):
        post = cls.make_post("Hello", publish_at=utc(2026, 8, 14, 15, 5))
        cls.make_comment(post)
        cls.make_comment(post)

    def test_english_by_default(self):
        response = self.client.get("/")
        self.assertContains(response, '<html lang="en">')
        self.assertContains(response, "Aug. 14, 2026")
        self.assertContains(response, "2 comments")
        self.assertEqual(response["Content-Language"], "en")

    def test_french(self):
        response = self.client.get("/posts/hello/", headers={"accept-language": "fr-CH, de;q=0.5"})
        self.assertContains(response, '<html lang="fr">')
        self.assertContains(response, "14 août 2026 15:05")
        self.assertContains(response, "2 commentaires")
        self.assertContains(response, "Laisser un commentaire")

    def test_german(self):
        response = self.client.get("/posts/hello/", headers={"accept-language": "de"})
        self.assertContains(response, "14. August 2026 15:05")
        self.assertContains(response, "2 Kommentare")

    def test_unknown_language_falls_back_to_english(self):
        response = self.client.get("/", headers={"accept-language": "tlh"})
        self.assertContains(response, '<html lang="en">')

    def test_switch_is_remembered(self):
        response = self.client.post("/i18n/setlang/", {"language": "fr", "next": "/archive/"})
        self.assertRedirects(response, "/archive/")
        self.assertEqual(response.cookies[settings.LANGUAGE_COOKIE_NAME].value, "fr")
        for path in ("/", "/archive/", "/authors/", "/accounts/login/", "/no/such/page/"):
            with self.subTest(path=path):
                self.assertIn('<html lang="fr">', self.client.get(path).text)

    def test_switch_leads_back_to_where_one_was(self):
        response = self.client.get("/", {"q": "a b", "page": "1"})
        self.assertContains(response, 'name="next" value="/?q=a+b&amp;page=1"')

    def test_switch_does_not_lead_off_the_site(self):
        data = {"language": "de", "next": "https://example.com/"}
        self.assertRedirects(self.client.post("/i18n/setlang/", data), "/")

    def test_months_in_the_archive(self):
        response = self.client.get("/archive/", headers={"accept-language": "fr"})
        self.assertContains(response, ">août</a>")

    def test_form_errors_are_translated(self):
        data = {"name": "", "body": "https://a https://b https://c"}
        response = self.client.post("/posts/hello/", data, headers={"accept-language": "de"})
        form = response.context["form"]
        self.assertFormError(form, "name", "Dieses Feld ist zwingend erforderlich.")
        self.assertContains(response, "Ein Kommentar darf höchstens 2 Links enthalten.")

    def test_admin_is_translated(self):
        response = self.client.get("/admin/login/", headers={"accept-language": "fr"})
        self.assertContains(response, "Rédaction de Windfall")


class CatalogueTests(SimpleTestCase):
    def test_plurals(self):
        cases = {"en": "posts published", "fr": "billets publiés", "de": "Beiträge veröffentlicht"}
        for language, expected in cases.items():
            with self.subTest(language=language), translation.override(language):
                text = translation.ngettext(
                    "%(count)d post published.", "%(count)d posts published.", 3
                )
                self.assertEqual(text % {"count": 3}, f"3 {expected}.")

    def test_french_counts_zero_as_one(self):
        with translation.override("fr"):
            text = translation.ngettext(
                "%(count)d post published.", "%(count)d posts published.", 0
            )
            self.assertEqual(text % {"count": 0}, "0 billet publié.")

    def test_every_language_has_its_catalogue(self):
        titles = set()
        for language, _name in settings.LANGUAGES:
            with translation.override(language):
                titles.add(translation.gettext("Good things, picked up along the way"))
        self.assertEqual(len(titles), len(settings.LANGUAGES))


class StaticFileTests(SimpleTestCase):
    def test_files_named_in_templates_exist(self):
        for name in ("css/site.css", "css/admin.css", "js/preferences.js", "img/favicon.svg"):
            with self.subTest(name=name):
                self.assertIsNotNone(finders.find(name))
