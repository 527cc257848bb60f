from datetime import UTC, datetime, timedelta

from django.contrib.auth import get_user_model
from django.test import TestCase, override_settings
from django.utils import timezone, translation

from blog.models import Comment, Post, Tag


@override_settings(
    # No need to run collectstatic before the tests.
    STORAGES={
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
    # Real password hashing takes its time, on purpose.
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
    TIME_ZONE="UTC",
)
class BlogTestCase(TestCase):
    """A test case with short ways to make users, posts and comments."""

    def setUp(self):
        super().setUp()
        # LocaleMiddleware leaves the language of the last request in place. Put it back.
        self.enterContext(translation.override("en"))

    @staticmethod
    def make_user(username="ada", **fields):
        display_name = fields.pop("display_name", "")
        user = get_user_model().objects.create_user(username, **fields)
        if display_name:
            user.profile.display_name = display_name
            user.profile.save()
        return user

    @staticmethod
    def make_post(title="A post", *, author=None, tags=(), days_ago=1, **fields):
        if author is None:
            author, _created = get_user_model().objects.get_or_create(username="author")
        fields.setdefault("publish_at", timezone.now() - timedelta(days=days_ago))
        fields.setdefault("status", Post.Status.PUBLISHED)
        fields.setdefault("summary", f"About {title}.")
        fields.setdefault("body", f"The text of {title}.")
        post = Post.objects.create(title=title, author=author, **fields)
        post.tags.set(Tag.objects.get_or_create(name=name)[0] for name in tags)
        return post

    @staticmethod
    def make_comment(post, body="Well said.", **fields):
        return Comment.objects.create(post=post, **{"name": "Grace", "body": body, **fields})


def utc(*args):
    return datetime(*args, tzinfo=UTC)
