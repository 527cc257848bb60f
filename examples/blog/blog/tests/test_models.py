from datetime import timedelta

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.test import skipUnlessDBFeature
from django.utils import timezone

from blog.models import Comment, Post, Tag, reading_minutes

from .base import BlogTestCase


class PostTests(BlogTestCase):
    def test_slug_is_made_from_the_title(self):
        post = self.make_post("Élan & Œuvre, part 2")
        self.assertEqual(post.slug, "elan-uvre-part-2")

    def test_given_slug_is_kept(self):
        post = self.make_post("A title", slug="something-else")
        post.title = "Another title"
        post.save()
        self.assertEqual(post.slug, "something-else")

    def test_slugs_are_unique(self):
        self.make_post("Twice")
        with self.assertRaises(IntegrityError), transaction.atomic():
            self.make_post("Twice")
        self.assertEqual(Post.objects.count(), 1)

    def test_new_posts_are_drafts(self):
        author = self.make_user()
        post = Post.objects.create(title="New", author=author, summary="-", body="-")
        self.assertEqual(post.status, Post.Status.DRAFT)
        self.assertFalse(post.is_live)

    def test_reading_time_follows_the_text(self):
        post = self.make_post(body="word " * 500)
        self.assertEqual(post.reading_minutes, 3)
        post.body = "word"
        post.save(update_fields=["body"])
        post.refresh_from_db()
        self.assertEqual(post.reading_minutes, 1)

    def test_reading_time_is_at_least_a_minute(self):
        self.assertEqual(reading_minutes(""), 1)

    def test_published_leaves_out_drafts_and_scheduled_posts(self):
        live = self.make_post("Live")
        self.make_post("Draft", status=Post.Status.DRAFT)
        scheduled = self.make_post("Scheduled", days_ago=-1)
        self.assertQuerySetEqual(Post.objects.published(), [live])
        self.assertQuerySetEqual(Post.objects.scheduled(), [scheduled])
        self.assertTrue(scheduled.is_scheduled)

    def test_scheduled_post_appears_when_its_time_comes(self):
        post = self.make_post(publish_at=timezone.now() + timedelta(hours=1))
        self.assertFalse(Post.objects.published().exists())
        Post.objects.update(publish_at=timezone.now() - timedelta(seconds=1))
        self.assertQuerySetEqual(Post.objects.published(), [post])

    def test_who_may_see_a_draft(self):
        author = self.make_user("writer")
        self.make_post(author=author, status=Post.Status.DRAFT)
        reader = self.make_user("reader")
        editor = self.make_user("editor", is_superuser=True)
        visible = {
            user: Post.objects.visible_to(user).exists()
            for user in (AnonymousUser(), reader, author, editor)
        }
        self.assertEqual(list(visible.values()), [False, False, True, True])

    def test_newest_post_comes_first(self):
        old, new = self.make_post("Old", days_ago=9), self.make_post("New", days_ago=2)
        self.assertQuerySetEqual(Post.objects.all(), [new, old])
        self.assertEqual(Post.objects.latest(), new)

    def test_author_with_posts_cannot_be_deleted(self):
        post = self.make_post()
        with self.assertRaises(ProtectedError):
            post.author.delete()

    def test_comment_counts_leave_out_hidden_comments(self):
        post, quiet = self.make_post("Loud", days_ago=1), self.make_post("Quiet", days_ago=2)
        self.make_comment(post)
        self.make_comment(post)
        self.make_comment(post, is_visible=False)
        counts = [(each.pk, each.comment_count) for each in Post.objects.with_comment_counts()]
        self.assertEqual(counts, [(post.pk, 2), (quiet.pk, 0)])


class SearchTests(BlogTestCase):
    def test_all_words_must_occur_anywhere(self):
        soup = self.make_post("Green soup", body="Nettles and leeks.", tags=["Kitchen"])
        self.make_post("Green paint", body="For the shed.", tags=["Tools"])
        for query in ("green nettles", "SOUP", "kitchen leeks", "  soup   green "):
            with self.subTest(query=query):
                self.assertQuerySetEqual(Post.objects.search(query), [soup])
        self.assertFalse(Post.objects.search("soup shed").exists())

    def test_post_with_several_matching_tags_is_found_once(self):
        self.make_post(tags=["Red soup", "Green soup", "Blue soup"])
        self.assertEqual(Post.objects.search("soup").count(), 1)

    def test_wildcards_are_taken_literally(self):
        self.make_post(body="Everything.")
        self.assertFalse(Post.objects.search("%").exists())
        self.assertFalse(Post.objects.search("Every_hing").exists())


class TagTests(BlogTestCase):
    def test_names_are_unique_whatever_their_case(self):
        Tag.objects.create(name="Baking")
        with self.assertRaises(IntegrityError), transaction.atomic():
            Tag.objects.create(name="BAKING", slug="other")
        with self.assertRaisesMessage(ValidationError, "There is a tag of this name already."):
            Tag(name="baking", slug="third").full_clean()

    def test_counts_are_of_live_posts(self):
        self.make_post("One", tags=["Soup"])
        self.make_post("Two", tags=["Soup"], status=Post.Status.DRAFT)
        self.make_post("Three", tags=["Soup"], days_ago=-3)
        Tag.objects.create(name="Unused")
        counts = {tag.name: tag.post_count for tag in Tag.objects.with_post_counts()}
        self.assertEqual(counts, {"Soup": 1, "Unused": 0})


class CommentTests(BlogTestCase):
    def test_comments_go_with_their_post(self):
        post = self.make_post()
        self.make_comment(post)
        post.delete()
        self.assertFalse(Comment.objects.exists())

    def test_comments_outlive_their_writer(self):
        user = self.make_user()
        comment = self.make_comment(self.make_post(), user=user)
        user.delete()
        comment.refresh_from_db()
        self.assertIsNone(comment.user)
        self.assertEqual(comment.name, "Grace")

    def test_str_and_address(self):
        comment = self.make_comment(self.make_post("Hello"))
        self.assertEqual(str(comment), "Grace on “Hello”")
        self.assertEqual(comment.get_absolute_url(), f"/posts/hello/#comment-{comment.pk}")


@skipUnlessDBFeature("supports_transactions")
class AtomicityTests(BlogTestCase):
    def test_failure_undoes_the_whole_block(self):
        with self.assertRaisesMessage(RuntimeError, "stop"), transaction.atomic():
            self.make_post("Lost", tags=["Lost too"])
            raise RuntimeError("stop")
        self.assertFalse(Post.objects.exists())
        self.assertFalse(Tag.objects.exists())

    def test_inner_failure_leaves_the_outer_block_alone(self):
        with transaction.atomic():
            self.make_post("Kept")
            with self.assertRaises(IntegrityError), transaction.atomic():
                self.make_post("Lost")
                self.make_post("Kept")
            self.make_post("Kept as well")
        titles = sorted(Post.objects.values_list("title", flat=True))
        self.assertEqual(titles, ["Kept", "Kept as well"])

    def test_set_rollback(self):
        with transaction.atomic():
            self.make_post("Lost")
            transaction.set_rollback(True)
        self.assertFalse(Post.objects.exists())

    def test_on_commit_waits_for_the_outermost_block(self):
        done = []
        with self.captureOnCommitCallbacks(execute=True) as callbacks, transaction.atomic():
            transaction.on_commit(lambda: done.append("sent"))
            self.assertEqual(done, [])
        self.assertEqual(len(callbacks), 1)
        self.assertEqual(done, ["sent"])
