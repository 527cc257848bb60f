from django.test import RequestFactory
from django.views.defaults import server_error

from blog.models import Comment, Post
from blog.views import POSTS_PER_PAGE

from .base import BlogTestCase, utc


class HomeTests(BlogTestCase):
    def test_shows_live_posts_only(self):
        self.make_post("Seen")
        self.make_post("Hidden draft", status=Post.Status.DRAFT)
        self.make_post("Hidden future", days_ago=-2)
        response = self.client.get("/")
        self.assertContains(response, "Seen")
        self.assertNotContains(response, "Hidden")
        self.assertTemplateUsed(response, "blog/post_list.html")

    def test_empty_site(self):
        self.assertContains(self.client.get("/"), "There are no posts yet.")

    def test_number_of_queries_does_not_grow_with_the_posts(self):
        for number in range(POSTS_PER_PAGE):
            author = self.make_user(f"author{number}")
            post = self.make_post(f"Post {number}", author=author, tags=["A", f"B{number}"])
            self.make_comment(post)
        # How many posts, the posts with their authors and comment counts, tags of posts, all tags.
        with self.assertNumQueries(4):
            self.client.get("/")

    def test_card_shows_author_tags_and_comments(self):
        author = self.make_user("ada", display_name="Ada Lovelace")
        post = self.make_post("Engines", author=author, tags=["Tools"])
        self.make_comment(post)
        response = self.client.get("/")
        self.assertContains(response, "Ada Lovelace")
        self.assertContains(response, '<a href="/tags/tools/" rel="tag">Tools</a>', html=True)
        self.assertContains(response, "1 comment")

    def test_pagination(self):
        for number in range(POSTS_PER_PAGE + 3):
            self.make_post(f"Post {number}", days_ago=number + 1)
        first, second = self.client.get("/"), self.client.get("/?page=2")
        self.assertEqual(len(first.context["posts"]), POSTS_PER_PAGE)
        self.assertEqual(len(second.context["posts"]), 3)
        self.assertContains(first, 'rel="next" href="?page=2"')
        self.assertContains(second, 'rel="prev" href="?page=1"')
        self.assertEqual(self.client.get("/?page=last").context["page_obj"].number, 2)

    def test_pages_that_do_not_exist(self):
        self.make_post()
        for page in ("2", "0", "-1", "soon"):
            with self.subTest(page=page):
                self.assertEqual(self.client.get("/", {"page": page}).status_code, 404)

    def test_search(self):
        self.make_post("Green soup")
        self.make_post("Red paint")
        response = self.client.get("/", {"q": "soup"})
        self.assertContains(response, "Green soup")
        self.assertNotContains(response, "Red paint")
        self.assertContains(response, "1 post found")

    def test_search_is_kept_from_page_to_page(self):
        for number in range(POSTS_PER_PAGE + 1):
            self.make_post(f"Soup {number}")
        response = self.client.get("/", {"q": "soup"})
        self.assertContains(response, 'href="?q=soup&amp;page=2"')

    def test_search_without_result(self):
        response = self.client.get("/", {"q": "<script>"})
        self.assertContains(response, "Nothing found.")
        self.assertContains(response, "&lt;script&gt;")
        self.assertNotContains(response, "<script>")


class PostPageTests(BlogTestCase):
    def test_shows_text_and_visible_comments(self):
        post = self.make_post("Hello", body="First.\n\n## Second\n\n- a\n- *b*\n\n<b>raw</b>")
        self.make_comment(post, "Lovely.")
        self.make_comment(post, "Spam!", is_visible=False)
        response = self.client.get("/posts/hello/")
        self.assertContains(response, "<h2>Second</h2>", html=True)
        self.assertContains(response, "<ul><li>a</li><li><em>b</em></li></ul>", html=True)
        self.assertContains(response, "&lt;b&gt;raw&lt;/b&gt;")
        self.assertContains(response, "Lovely.")
        self.assertNotContains(response, "Spam!")

    def test_drafts_and_scheduled_posts_are_not_found(self):
        self.make_post("Draft", status=Post.Status.DRAFT)
        self.make_post("Later", days_ago=-1)
        for slug in ("draft", "later", "no-such-post"):
            with self.subTest(slug=slug):
                self.assertEqual(self.client.get(f"/posts/{slug}/").status_code, 404)

    def test_author_previews_a_draft_without_comments(self):
        author = self.make_user()
        self.make_post("Draft", author=author, status=Post.Status.DRAFT)
        self.client.force_login(author)
        response = self.client.get("/posts/draft/")
        self.assertContains(response, "A preview: this post is a draft.")
        self.assertNotContains(response, "comment-form")
        response = self.client.post("/posts/draft/", {"body": "Too early."})
        self.assertEqual(response.status_code, 403)
        self.assertTemplateUsed(response, "403.html")

    def test_neighbours(self):
        for number, title in enumerate(["Third", "Second", "First"]):
            self.make_post(title, days_ago=number + 1)
        self.make_post("Zeroth", days_ago=9, status=Post.Status.DRAFT)
        context = self.client.get("/posts/second/").context
        self.assertEqual(context["earlier"].title, "First")
        self.assertEqual(context["later"].title, "Third")
        self.assertIsNone(self.client.get("/posts/first/").context["earlier"])

    def test_number_of_queries_does_not_grow_with_the_comments(self):
        post = self.make_post("Busy", tags=["A", "B"])
        for number in range(8):
            self.make_comment(post, user=self.make_user(f"reader{number}"))
        # The post with its author, its tags, its comments with their users, two neighbours.
        with self.assertNumQueries(5):
            self.client.get("/posts/busy/")


class CommentFormTests(BlogTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.post = cls.make_post("Hello")
        cls.url = cls.post.get_absolute_url()

    def test_visitor_comments(self):
        data = {"name": " Grace  Hopper ", "body": "Fine!"}
        response = self.client.post(self.url, data, follow=True)
        comment = Comment.objects.get()
        self.assertRedirects(response, f"{self.url}#comment-{comment.pk}")
        self.assertEqual((comment.name, comment.body), ("Grace Hopper", "Fine!"))
        self.assertIsNone(comment.user)
        self.assertContains(response, "Thank you, your comment has been added.")

    def test_member_comments_under_the_display_name(self):
        user = self.make_user("ada", display_name="Ada Lovelace")
        self.client.force_login(user)
        self.assertNotContains(self.client.get(self.url), 'name="name"')
        self.client.post(self.url, {"name": "Somebody else", "body": "Fine!"})
        comment = Comment.objects.get()
        self.assertEqual((comment.user, comment.name), (user, "Ada Lovelace"))

    def test_errors_are_shown_and_nothing_is_saved(self):
        response = self.client.post(self.url, {"name": "", "body": "Hi"})
        self.assertEqual(response.status_code, 200)
        form = response.context["form"]
        self.assertFormError(form, "name", "This field is required.")
        self.assertFormError(
            form, "body", "Ensure this value has at least 3 characters (it has 2)."
        )
        self.assertContains(response, "This field is required.")
        self.assertFalse(Comment.objects.exists())

    def test_what_was_typed_comes_back(self):
        response = self.client.post(self.url, {"name": "X", "body": "A <b>bold</b> remark"})
        self.assertFormError(response.context["form"], "name", "Please tell us your name.")
        self.assertContains(response, "A &lt;b&gt;bold&lt;/b&gt; remark</textarea>")

    def test_too_many_links(self):
        data = {"name": "Grace", "body": "See " + "https://example.com " * 3}
        response = self.client.post(self.url, data)
        self.assertFormError(
            response.context["form"], "body", "A comment may hold at most 2 links."
        )
        data["body"] = "See https://example.com"
        self.assertEqual(self.client.post(self.url, data).status_code, 302)

    def test_csrf_is_enforced(self):
        client = self.client_class(enforce_csrf_checks=True)
        response = client.post(self.url, {"name": "Grace", "body": "Fine!"})
        self.assertContains(response, "The form has expired", status_code=403)
        token = client.get(self.url).context["csrf_token"]
        data = {"name": "Grace", "body": "Fine!", "csrfmiddlewaretoken": token}
        self.assertEqual(client.post(self.url, data).status_code, 302)


class TagAndAuthorPageTests(BlogTestCase):
    def test_tag_page(self):
        self.make_post("Bread", tags=["Baking"])
        self.make_post("Chain", tags=["Tools"])
        response = self.client.get("/tags/baking/")
        self.assertContains(response, "Bread")
        self.assertNotContains(response, "Chain")
        self.assertEqual(self.client.get("/tags/nothing/").status_code, 404)

    def test_author_page(self):
        ada = self.make_user("ada", display_name="Ada Lovelace")
        self.make_post("Engines", author=ada)
        self.make_post("Chain")
        response = self.client.get("/authors/ada/")
        self.assertContains(response, "<title>Ada Lovelace · Windfall</title>", html=True)
        self.assertContains(response, "Engines")
        self.assertNotContains(response, "Chain")

    def test_author_list(self):
        ada, bob = self.make_user("ada"), self.make_user("bob")
        self.make_user("reader")
        self.make_post("One", author=bob)
        self.make_post("Two", author=bob)
        self.make_post("Three", author=ada)
        self.make_post("Four", author=ada, status=Post.Status.DRAFT)
        authors = self.client.get("/authors/").context["authors"]
        self.assertEqual([(a.username, a.post_count) for a in authors], [("bob", 2), ("ada", 1)])


class ArchiveTests(BlogTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.make_post("January", publish_at=utc(2025, 1, 10, 12))
        cls.make_post("March", publish_at=utc(2025, 3, 10, 12))
        cls.make_post("New Year", publish_at=utc(2025, 12, 31, 23, 30))
        cls.make_post("Secret", publish_at=utc(2025, 5, 5), status=Post.Status.DRAFT)

    def test_months_with_posts(self):
        months = self.client.get("/archive/").context["date_list"]
        self.assertEqual([(m.year, m.month) for m in months], [(2025, 12), (2025, 3), (2025, 1)])

    def test_year(self):
        response = self.client.get("/archive/2025/")
        self.assertEqual(
            [post.title for post in response.context["posts"]], ["New Year", "March", "January"]
        )
        self.assertNotContains(response, "Secret")

    def test_month(self):
        response = self.client.get("/archive/2025/3/")
        self.assertQuerySetEqual(response.context["posts"], ["March"], transform=str)
        self.assertEqual(response.context["previous_month"].month, 1)
        self.assertEqual(response.context["next_month"].month, 12)

    def test_nothing_there(self):
        for path in ("2024/", "2025/2/", "2025/13/", "99999/"):
            with self.subTest(path=path):
                self.assertEqual(self.client.get(f"/archive/{path}").status_code, 404)


class OtherPageTests(BlogTestCase):
    def test_robots(self):
        response = self.client.get("/robots.txt")
        self.assertEqual(response["Content-Type"], "text/plain; charset=utf-8")
        self.assertContains(response, "Sitemap: http://testserver/sitemap.xml")

    def test_not_found_page(self):
        response = self.client.get("/no/such/page/")
        self.assertContains(response, "Page not found", status_code=404)
        self.assertTemplateUsed(response, "404.html")

    def test_server_error_page(self):
        response = server_error(RequestFactory().get("/"))
        self.assertContains(response, "Something broke", status_code=500)

    def test_security_headers(self):
        response = self.client.get("/")
        self.assertEqual(response["X-Frame-Options"], "DENY")
        self.assertEqual(response["X-Content-Type-Options"], "nosniff")
