"""The feeds, the sitemap, the JSON interface and the CSV export."""

import csv
import io
from xml.etree import ElementTree

from django.test import AsyncClient

from blog.models import Post

from .base import BlogTestCase, utc

SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ATOM = "{http://www.w3.org/2005/Atom}"


class FeedTests(BlogTestCase):
    def test_rss(self):
        ada = self.make_user("ada", display_name="Ada Lovelace")
        self.make_post("Salt & pepper", author=ada, tags=["Baking"], publish_at=utc(2026, 3, 14, 9))
        self.make_post("Draft", status=Post.Status.DRAFT)
        response = self.client.get("/feed/")
        self.assertEqual(response["Content-Type"], "application/rss+xml; charset=utf-8")
        (item,) = ElementTree.fromstring(response.content).iter("item")
        self.assertEqual(item.findtext("title"), "Salt & pepper")
        self.assertEqual(item.findtext("link"), "http://testserver/posts/salt-pepper/")
        self.assertEqual(item.findtext("category"), "Baking")
        self.assertEqual(item.findtext("pubDate"), "Sat, 14 Mar 2026 09:00:00 +0000")
        self.assertIn("<p>The text of", item.findtext("description"))

    def test_rss_has_the_newest_fifteen(self):
        for number in range(17):
            self.make_post(f"Post {number}", days_ago=number + 1)
        root = ElementTree.fromstring(self.client.get("/feed/").content)
        titles = [item.findtext("title") for item in root.iter("item")]
        self.assertEqual(titles, [f"Post {number}" for number in range(15)])

    def test_atom(self):
        self.make_post("Hello")
        root = ElementTree.fromstring(self.client.get("/feed/atom/").content)
        self.assertEqual(root.tag, f"{ATOM}feed")
        self.assertEqual(root.findtext(f"{ATOM}entry/{ATOM}summary"), "About Hello.")


class SitemapTests(BlogTestCase):
    def test_lists_everything_public(self):
        self.make_post("Seen", tags=["Tools"])
        self.make_post("Hidden", tags=["Secrets"], status=Post.Status.DRAFT)
        response = self.client.get("/sitemap.xml")
        self.assertEqual(response["Content-Type"], "application/xml")
        root = ElementTree.fromstring(response.content)
        paths = [loc.text.removeprefix("http://testserver") for loc in root.iter(f"{SITEMAP}loc")]
        expected = ["/", "/archive/", "/authors/", "/posts/seen/", "/tags/tools/"]
        self.assertEqual(sorted(paths), expected)


class ApiTests(BlogTestCase):
    @classmethod
    def setUpTestData(cls):
        ada = cls.make_user("ada", display_name="Ada Lovelace")
        cls.bread = cls.make_post(
            "Bread", author=ada, tags=["Baking"], publish_at=utc(2026, 3, 14, 9)
        )
        cls.chain = cls.make_post("Chain", tags=["Tools"], publish_at=utc(2026, 2, 1, 9))
        cls.make_post("Draft", status=Post.Status.DRAFT)
        cls.make_comment(cls.bread)

    def titles(self, **query):
        response = self.client.get("/api/posts/", query)
        self.assertEqual(response.status_code, 200, response.content)
        return [post["title"] for post in response.json()["results"]]

    def test_list(self):
        data = self.client.get("/api/posts/").json()
        self.assertEqual((data["count"], data["pages"], data["next"]), (2, 1, None))
        self.assertEqual(
            data["results"][0],
            {
                "id": self.bread.pk,
                "title": "Bread",
                "slug": "bread",
                "url": "http://testserver/posts/bread/",
                "author": {"username": "ada", "name": "Ada Lovelace"},
                "summary": "About Bread.",
                "tags": ["baking"],
                "published": "2026-03-14T09:00:00+00:00",
                "reading_minutes": 1,
                "comments": 1,
            },
        )

    def test_filters(self):
        self.assertEqual(self.titles(tag="tools"), ["Chain"])
        self.assertEqual(self.titles(author="ada"), ["Bread"])
        self.assertEqual(self.titles(q="bread"), ["Bread"])
        self.assertEqual(self.titles(since="2026-03-01"), ["Bread"])
        self.assertEqual(self.titles(until="2026-02-01"), ["Chain"])
        self.assertEqual(self.titles(since="2026-02-02", until="2026-03-13"), [])

    def test_pages(self):
        first = self.client.get("/api/posts/", {"page_size": 1}).json()
        self.assertEqual((first["count"], first["pages"]), (2, 2))
        second = self.client.get(first["next"]).json()
        self.assertEqual([post["title"] for post in second["results"]], ["Chain"])
        self.assertIsNone(second["next"])
        self.assertIn("page=1", second["previous"])

    def test_bad_parameters(self):
        for query, status in [
            ({"page": "x"}, 400),
            ({"page": "9"}, 404),
            ({"page_size": "0"}, 400),
            ({"page_size": "1000"}, 400),
            ({"since": "yesterday"}, 400),
            ({"since": "2026-02-30"}, 400),
        ]:
            with self.subTest(query=query):
                response = self.client.get("/api/posts/", query)
                self.assertEqual(response.status_code, status)
                self.assertIn("error", response.json())

    def test_one_post(self):
        data = self.client.get("/api/posts/bread/").json()
        self.assertEqual(data["body"], "The text of Bread.")
        self.assertEqual(self.client.get("/api/posts/draft/").status_code, 404)

    def test_only_reading(self):
        self.assertEqual(self.client.post("/api/posts/").status_code, 405)


class StatsTests(BlogTestCase):
    @classmethod
    def setUpTestData(cls):
        ada = cls.make_user("ada")
        post = cls.make_post("One", author=ada, tags=["Tools"], publish_at=utc(2026, 1, 2))
        cls.make_post("Two", author=ada, tags=["Tools", "Baking"], publish_at=utc(2026, 1, 1))
        draft = cls.make_post("Draft", status=Post.Status.DRAFT, tags=["Secrets"])
        cls.make_comment(post)
        cls.make_comment(draft)

    expected = {
        "posts": 2,
        "comments": 1,
        "reading_minutes": 2,
        "first": "2026-01-01T00:00:00Z",
        "latest": "2026-01-02T00:00:00Z",
        "tags": {"tools": 2, "baking": 1},
        "authors": {"ada": 2},
    }

    async def test_through_asgi(self):
        response = await AsyncClient().get("/api/stats/")
        self.assertEqual(response.json(), self.expected)

    def test_through_wsgi(self):
        self.assertEqual(self.client.get("/api/stats/").json(), self.expected)

    async def test_async_orm(self):
        self.assertEqual(await Post.objects.published().acount(), 2)
        self.assertTrue(await Post.objects.filter(title="One").aexists())
        self.assertEqual([post.title async for post in Post.objects.published()], ["One", "Two"])
        post = await Post.objects.aget(slug="one")
        await post.tags.aclear()
        self.assertEqual([tag async for tag in post.tags.all()], [])

    async def test_sync_pages_through_asgi(self):
        response = await AsyncClient().get("/posts/one/")
        self.assertContains(response, "The text of One.")


class ExportTests(BlogTestCase):
    def read(self, **kwargs):
        response = self.client.get("/export/posts.csv", **kwargs)
        self.assertTrue(response.streaming)
        self.assertEqual(response["Content-Type"], "text/csv; charset=utf-8")
        self.assertIn('filename="posts.csv"', response["Content-Disposition"])
        text = b"".join(response.streaming_content).decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text)))

    def test_rows(self):
        ada = self.make_user("ada", display_name="Ada Lovelace")
        post = self.make_post(
            'Bread, "butter"', author=ada, tags=["B", "A"], publish_at=utc(2026, 3, 14, 9, 30)
        )
        self.make_comment(post)
        self.make_post("Draft", status=Post.Status.DRAFT)
        header, row = self.read()
        self.assertEqual(header[:3], ["Title", "Author", "Published"])
        self.assertEqual(row[:3], ['Bread, "butter"', "Ada Lovelace", "2026-03-14 09:30"])
        self.assertEqual(row[3:], ["A, B", "1", "1", "/posts/bread-butter/"])

    def test_more_rows_than_fit_in_a_chunk(self):
        author = self.make_user()
        Post.objects.bulk_create(
            Post(title=f"Post {n}", slug=f"post-{n}", author=author, status="published")
            for n in range(205)
        )
        Post.objects.update(publish_at=utc(2026, 1, 1))
        self.assertEqual(len(self.read()), 1 + 205)

    def test_language_and_time_zone_of_the_reader(self):
        self.make_post(publish_at=utc(2026, 7, 1, 23))
        self.client.post("/accounts/preferences/", {"time_zone": "Asia/Tokyo"})
        header, row = self.read(headers={"accept-language": "de"})
        self.assertEqual(header[0], "Titel")
        self.assertEqual(row[2], "2026-07-02 08:00")


class ExampleD1Tests(BlogTestCase):
    def check(self, data):
        self.assertIn(data["binding"], {"sqlite", "d1", "durable-object"})
        for table in data["tables"]:
            self.assertLessEqual({"name", "type", "ncol"}, table.keys())
        if data["binding"] == "sqlite":
            self.assertIn("blog_post", {table["name"] for table in data["tables"]})

    async def test_through_asgi(self):
        response = await AsyncClient().get("/example-d1")
        self.check(response.json())

    def test_through_wsgi(self):
        self.check(self.client.get("/example-d1").json())
