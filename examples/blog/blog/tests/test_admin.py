from django.contrib.admin.models import LogEntry

from blog.models import Comment, Post, Tag

from .base import BlogTestCase, utc


class AdminTestCase(BlogTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.editor = cls.make_user("editor", is_staff=True, is_superuser=True)
        cls.author = cls.make_user("ada")

    def setUp(self):
        super().setUp()
        self.client.force_login(self.editor)


class PostListTests(AdminTestCase):
    url = "/admin/blog/post/"

    def listed(self, **query):
        response = self.client.get(self.url, query)
        self.assertEqual(response.status_code, 200)
        return sorted(post.title for post in response.context["cl"].result_list)

    def test_date_hierarchy(self):
        self.make_post("Old", publish_at=utc(2025, 3, 1))
        self.make_post("May", publish_at=utc(2026, 5, 6, 7))
        self.make_post("June", publish_at=utc(2026, 6, 7, 8))
        response = self.client.get(self.url)
        self.assertContains(response, "?publish_at__year=2025")
        self.assertContains(response, "?publish_at__year=2026")
        self.assertEqual(self.listed(publish_at__year=2026), ["June", "May"])
        month = {"publish_at__year": 2026, "publish_at__month": 5}
        self.assertEqual(self.listed(**month), ["May"])
        self.assertContains(self.client.get(self.url, month), "May 6")
        self.assertEqual(self.listed(**month, publish_at__day=6), ["May"])

    def test_visibility_filter(self):
        self.make_post("Live one")
        self.make_post("Scheduled one", days_ago=-3)
        self.make_post("Draft one", status=Post.Status.DRAFT)
        for value in ("live", "scheduled", "draft"):
            with self.subTest(value=value):
                self.assertEqual(self.listed(visibility=value), [f"{value.title()} one"])
        self.assertEqual(len(self.listed()), 3)

    def test_tag_filter_and_search(self):
        self.make_post("Bread", tags=["Baking", "Bakery"])
        self.make_post("Chain", tags=["Tools"])
        tag = Tag.objects.get(name="Tools")
        self.assertEqual(self.listed(tags__id__exact=tag.pk), ["Chain"])
        self.assertEqual(self.listed(q="bak"), ["Bread"])
        self.assertEqual(self.listed(q="nothing"), [])

    def test_sorting_by_comments(self):
        self.make_post("Quiet")
        self.make_comment(self.make_post("Loud"))
        response = self.client.get(self.url, {"o": "-6"})
        titles = [post.title for post in response.context["cl"].result_list]
        self.assertEqual(titles, ["Loud", "Quiet"])

    def run_action(self, action, posts):
        data = {"action": action, "_selected_action": [post.pk for post in posts]}
        return self.client.post(self.url, data, follow=True)

    def test_publish_action(self):
        drafts = [self.make_post(f"Draft {n}", status=Post.Status.DRAFT) for n in range(2)]
        already = self.make_post("Already")
        response = self.run_action("publish", [*drafts, already])
        self.assertContains(response, "2 posts published.")
        self.assertEqual(Post.objects.published().count(), 3)
        messages = [entry.get_change_message() for entry in LogEntry.objects.all()]
        self.assertEqual(messages, ["Changed status."] * 2)

    def test_unpublish_action(self):
        post = self.make_post()
        response = self.run_action("unpublish", [post])
        self.assertContains(response, "1 post is a draft now.")
        self.assertFalse(Post.objects.published().exists())

    def test_delete_action_asks_first(self):
        post = self.make_post("Goner")
        self.assertContains(self.run_action("delete_selected", [post]), "Are you sure")
        self.assertTrue(Post.objects.exists())
        data = {"action": "delete_selected", "_selected_action": [post.pk], "post": "yes"}
        self.client.post(self.url, data)
        self.assertFalse(Post.objects.exists())


class PostFormTests(AdminTestCase):
    def form_data(self, **fields):
        return {
            "title": "From the desk",
            "slug": "from-the-desk",
            "author": self.author.pk,
            "summary": "A summary.",
            "body": "word " * 400,
            "status": "published",
            "publish_at_0": "2026-03-14",
            "publish_at_1": "09:30:00",
            "cover": "waves",
            "tags": [],
            "comments-TOTAL_FORMS": "0",
            "comments-INITIAL_FORMS": "0",
            **fields,
        }

    def test_add_page(self):
        response = self.client.get("/admin/blog/post/add/")
        self.assertContains(response, 'id="id_title"')
        self.assertContains(response, "admin-autocomplete")
        self.assertContains(response, "selectfilter")
        self.assertEqual(response.context["adminform"].form.initial["author"], self.editor.pk)

    def test_add_post_with_comments(self):
        tags = [Tag.objects.create(name=name) for name in ("Baking", "Tools")]
        data = self.form_data(
            tags=[tag.pk for tag in tags],
            **{
                "comments-TOTAL_FORMS": "2",
                "comments-0-name": "Grace",
                "comments-0-body": "First!",
                "comments-0-created_at_0": "2026-03-15",
                "comments-0-created_at_1": "10:00:00",
                "comments-0-is_visible": "on",
                "comments-1-name": "Alan",
                "comments-1-body": "Second.",
                "comments-1-created_at_0": "2026-03-16",
                "comments-1-created_at_1": "10:00:00",
            },
        )
        response = self.client.post("/admin/blog/post/add/", data)
        self.assertRedirects(response, "/admin/blog/post/")
        post = Post.objects.get()
        self.assertEqual(post.publish_at, utc(2026, 3, 14, 9, 30))
        self.assertEqual(post.reading_minutes, 3)
        self.assertQuerySetEqual(post.tags.all(), tags)
        comments = list(post.comments.values_list("name", "is_visible"))
        self.assertEqual(comments, [("Grace", True), ("Alan", False)])
        self.assertEqual(LogEntry.objects.get().object_repr, "From the desk")

    def test_errors(self):
        self.make_post("Taken", slug="from-the-desk")
        data = self.form_data(summary="", publish_at_0="soon")
        response = self.client.post("/admin/blog/post/add/", data)
        form = response.context["adminform"].form
        self.assertFormError(form, "slug", "Post with this Slug already exists.")
        self.assertFormError(form, "summary", "This field is required.")
        self.assertFormError(form, "publish_at", "Enter a valid date.")
        self.assertEqual(Post.objects.count(), 1)

    def test_error_in_a_comment_saves_nothing(self):
        data = self.form_data(
            **{"comments-TOTAL_FORMS": "1", "comments-0-name": "Grace", "comments-0-body": ""}
        )
        response = self.client.post("/admin/blog/post/add/", data)
        self.assertEqual(response.status_code, 200)
        self.assertFalse(Post.objects.exists())
        self.assertFalse(Comment.objects.exists())

    def test_change_post_and_delete_a_comment(self):
        post = self.make_post("Before", author=self.author)
        comment = self.make_comment(post)
        url = f"/admin/blog/post/{post.pk}/change/"
        self.assertContains(self.client.get(url), '<svg class="cover"')
        data = self.form_data(
            title="After",
            **{
                "comments-TOTAL_FORMS": "1",
                "comments-INITIAL_FORMS": "1",
                "comments-0-id": comment.pk,
                "comments-0-post": post.pk,
                "comments-0-name": comment.name,
                "comments-0-body": comment.body,
                "comments-0-created_at_0": "2026-03-15",
                "comments-0-created_at_1": "10:00:00",
                "comments-0-DELETE": "on",
            },
        )
        self.assertRedirects(self.client.post(url, data), "/admin/blog/post/")
        post.refresh_from_db()
        self.assertEqual(post.title, "After")
        self.assertFalse(post.comments.exists())
        history = self.client.get(f"/admin/blog/post/{post.pk}/history/")
        self.assertContains(history, "Deleted comment")

    def test_times_are_in_the_editors_zone(self):
        self.client.post("/accounts/preferences/", {"time_zone": "America/New_York"})
        self.client.post("/admin/blog/post/add/", self.form_data())
        post = Post.objects.get()
        self.assertEqual(post.publish_at, utc(2026, 3, 14, 13, 30))
        response = self.client.get(f"/admin/blog/post/{post.pk}/change/")
        self.assertContains(response, 'value="09:30:00"')


class OtherAdminTests(AdminTestCase):
    def test_every_list_and_form_opens(self):
        comment = self.make_comment(self.make_post("Hello", tags=["Tools"]))
        tag = Tag.objects.get()
        for path in (
            "",
            "blog/",
            "blog/tag/",
            f"blog/tag/{tag.pk}/change/",
            "blog/comment/?is_visible__exact=1",
            f"blog/comment/{comment.pk}/change/",
            "auth/user/",
            "auth/user/add/",
            f"auth/user/{self.author.pk}/change/",
            "auth/group/add/",
        ):
            with self.subTest(path=path):
                self.assertContains(self.client.get(f"/admin/{path}"), "Windfall editorial desk")

    def test_autocomplete(self):
        query = {"app_label": "blog", "model_name": "post", "field_name": "author", "term": "ad"}
        response = self.client.get("/admin/autocomplete/", query)
        self.assertEqual(response.json()["results"], [{"id": str(self.author.pk), "text": "ada"}])

    def test_hiding_comments(self):
        comment = self.make_comment(self.make_post())
        data = {"action": "hide", "_selected_action": [comment.pk]}
        self.assertContains(
            self.client.post("/admin/blog/comment/", data, follow=True), "1 comment changed."
        )
        comment.refresh_from_db()
        self.assertFalse(comment.is_visible)

    def test_comments_are_edited_in_the_list(self):
        comment = self.make_comment(self.make_post())
        data = {
            "form-TOTAL_FORMS": "1",
            "form-INITIAL_FORMS": "1",
            "form-0-id": comment.pk,
            "_save": "Save",
        }
        self.client.post("/admin/blog/comment/", data)
        comment.refresh_from_db()
        self.assertFalse(comment.is_visible)

    def test_profile_is_edited_with_the_user(self):
        url = f"/admin/auth/user/{self.author.pk}/change/"
        form = self.client.get(url).context["adminform"].form
        data = {
            "username": "ada",
            "date_joined_0": form.initial["date_joined"].strftime("%Y-%m-%d"),
            "date_joined_1": form.initial["date_joined"].strftime("%H:%M:%S"),
            "is_active": "on",
            "profile-TOTAL_FORMS": "1",
            "profile-INITIAL_FORMS": "1",
            "profile-0-id": self.author.profile.pk,
            "profile-0-user": self.author.pk,
            "profile-0-display_name": "Countess",
            "profile-0-time_zone": "Europe/London",
        }
        self.assertRedirects(self.client.post(url, data), "/admin/auth/user/")
        self.author.profile.refresh_from_db()
        self.assertEqual(self.author.profile.display_name, "Countess")

    def test_only_staff_gets_in(self):
        self.client.force_login(self.author)
        response = self.client.get("/admin/blog/post/")
        self.assertRedirects(response, "/admin/login/?next=/admin/blog/post/")
