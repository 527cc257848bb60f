import math

from django.conf import settings
from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import Count, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

WORDS_PER_MINUTE = 180


def reading_minutes(text):
    return max(1, math.ceil(len(text.split()) / WORDS_PER_MINUTE))


class TagQuerySet(models.QuerySet):
    def with_post_counts(self):
        """Add `post_count`, the number of posts that readers can see."""
        return self.annotate(post_count=Count("posts", filter=Post.live_condition("posts__")))


class Tag(models.Model):
    name = models.CharField(_("name"), max_length=40)
    slug = models.SlugField(_("slug"), max_length=40, unique=True)
    description = models.CharField(_("description"), max_length=200, blank=True)

    objects = TagQuerySet.as_manager()

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="tag_name_unique_ignoring_case",
                violation_error_message=_("There is a tag of this name already."),
            ),
        ]

    def __str__(self):
        return self.name

    def save(self, *args, **kwargs):
        if not self.slug:
            self.slug = slugify(self.name)
        super().save(*args, **kwargs)

    def get_absolute_url(self):
        return reverse("blog:tag", args=[self.slug])


class PostQuerySet(models.QuerySet):
    def published(self):
        """Posts that readers can see: published, and their date has come."""
        return self.filter(Post.live_condition())

    def scheduled(self):
        return self.filter(status=Post.Status.PUBLISHED, publish_at__gt=timezone.now())

    def drafts(self):
        return self.filter(status=Post.Status.DRAFT)

    def visible_to(self, user):
        """Like published(), plus everything an author or an editor may preview."""
        if user.is_authenticated and user.has_perm("blog.view_post"):
            return self
        visible = Post.live_condition()
        if user.is_authenticated:
            visible |= Q(author=user)
        return self.filter(visible)

    def search(self, query):
        """Posts in which every word of the query occurs: in the title, summary, text or a tag."""
        posts = self
        for word in query[:100].split():
            tagged = Post.tags.through.objects.filter(tag__name__icontains=word)
            posts = posts.filter(
                Q(title__icontains=word)
                | Q(summary__icontains=word)
                | Q(body__icontains=word)
                | Q(pk__in=tagged.values("post"))
            )
        return posts

    def with_comment_counts(self):
        # A subquery, since a join would make the database group by every column of the post.
        counts = (
            Comment.objects.visible()
            .filter(post=OuterRef("pk"))
            .order_by()
            .values("post")
            .annotate(count=Count("pk"))
            .values("count")
        )
        return self.annotate(
            comment_count=Coalesce(Subquery(counts, output_field=IntegerField()), 0)
        )

    def for_listing(self):
        """With all that a card in a list shows, and without the text, which it does not."""
        return (
            self.defer("body")
            .select_related("author__profile")
            .prefetch_related("tags")
            .with_comment_counts()
        )


class Post(models.Model):
    class Status(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    class Cover(models.TextChoices):
        HILLS = "hills", _("Hills")
        LEAVES = "leaves", _("Leaves")
        PLATES = "plates", _("Plates")
        TILES = "tiles", _("Tiles")
        WAVES = "waves", _("Waves")

    title = models.CharField(_("title"), max_length=120)
    slug = models.SlugField(_("slug"), max_length=120, unique=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="posts",
        verbose_name=_("author"),
    )
    summary = models.CharField(
        _("summary"),
        max_length=300,
        help_text=_("One or two sentences for lists and feeds."),
    )
    body = models.TextField(
        _("text"),
        help_text=_(
            "An empty line starts a new paragraph. A line may begin with “## ” for a heading, "
            "“> ” for a quotation or “- ” for a list item; *asterisks* set words in italics."
        ),
    )
    cover = models.CharField(
        _("cover art"), max_length=10, choices=Cover.choices, default=Cover.HILLS
    )
    tags = models.ManyToManyField(Tag, related_name="posts", blank=True, verbose_name=_("tags"))
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.DRAFT
    )
    publish_at = models.DateTimeField(
        _("publication date"),
        default=timezone.now,
        help_text=_("A published post stays hidden until this date."),
    )
    reading_minutes = models.PositiveSmallIntegerField(
        _("minutes to read"), default=1, editable=False
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("last changed"), auto_now=True)

    objects = PostQuerySet.as_manager()

    class Meta:
        verbose_name = _("post")
        verbose_name_plural = _("posts")
        ordering = ["-publish_at", "-pk"]
        get_latest_by = "publish_at"
        indexes = [
            models.Index(fields=["status", "-publish_at"], name="post_status_publish_at"),
        ]

    def __str__(self):
        return self.title

    def save(self, *args, update_fields=None, **kwargs):
        if not self.slug:
            self.slug = slugify(self.title)
        if update_fields is None or "body" in update_fields:
            self.reading_minutes = reading_minutes(self.body)
            if update_fields is not None:
                update_fields = {*update_fields, "reading_minutes"}
        super().save(*args, update_fields=update_fields, **kwargs)

    def get_absolute_url(self):
        return reverse("blog:post", args=[self.slug])

    @staticmethod
    def live_condition(prefix=""):
        """The condition for a post to be seen by readers, for posts or through a relation."""
        return Q(
            (f"{prefix}status", Post.Status.PUBLISHED),
            (f"{prefix}publish_at__lte", timezone.now()),
        )

    @property
    def is_scheduled(self):
        return self.status == self.Status.PUBLISHED and self.publish_at > timezone.now()

    @property
    def is_live(self):
        return self.status == self.Status.PUBLISHED and self.publish_at <= timezone.now()


class CommentQuerySet(models.QuerySet):
    def visible(self):
        return self.filter(is_visible=True)


class Comment(models.Model):
    post = models.ForeignKey(
        Post, on_delete=models.CASCADE, related_name="comments", verbose_name=_("post")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="comments",
        verbose_name=_("user"),
    )
    name = models.CharField(_("name"), max_length=80)
    body = models.TextField(_("comment"), max_length=2000, validators=[MinLengthValidator(3)])
    created_at = models.DateTimeField(_("written"), default=timezone.now)
    is_visible = models.BooleanField(
        _("visible"), default=True, help_text=_("Clear this to hide the comment from readers.")
    )

    objects = CommentQuerySet.as_manager()

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["created_at", "pk"]

    def __str__(self):
        return _("%(name)s on “%(post)s”") % {"name": self.name, "post": self.post}

    def get_absolute_url(self):
        return f"{self.post.get_absolute_url()}#comment-{self.pk}"
