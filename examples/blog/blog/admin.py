from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db import transaction
from django.db.models import Count
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from .covers import cover_svg
from .models import Comment, Post, Tag


class VisibilityFilter(admin.SimpleListFilter):
    """Drafts, scheduled posts and those that readers can see."""

    title = _("visibility")
    parameter_name = "visibility"

    def lookups(self, request, model_admin):
        return [("live", _("Live")), ("scheduled", _("Scheduled")), ("draft", _("Draft"))]

    def queryset(self, request, queryset):
        match self.value():
            case "live":
                return queryset.published()
            case "scheduled":
                return queryset.scheduled()
            case "draft":
                return queryset.drafts()


class CommentInline(admin.TabularInline):
    model = Comment
    extra = 0
    fields = ["name", "body", "created_at", "is_visible"]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "body":
            kwargs["widget"] = forms.Textarea(attrs={"rows": 3, "cols": 40})
        return super().formfield_for_dbfield(db_field, request, **kwargs)


@admin.register(Post)
class PostAdmin(admin.ModelAdmin):
    list_display = ["thumbnail", "title", "author", "visibility", "publish_at", "comment_count"]
    list_display_links = ["thumbnail", "title"]
    list_filter = [VisibilityFilter, "tags", ("author", admin.RelatedOnlyFieldListFilter)]
    list_per_page = 25
    search_fields = ["title", "summary", "body", "tags__name"]
    date_hierarchy = "publish_at"
    ordering = ["-publish_at"]
    actions = ["publish", "unpublish"]
    save_on_top = True

    prepopulated_fields = {"slug": ["title"]}
    autocomplete_fields = ["author"]
    filter_horizontal = ["tags"]
    radio_fields = {"status": admin.HORIZONTAL}
    readonly_fields = ["cover_preview", "reading_minutes", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["title", "slug", "author", "summary", "body"]}),
        (_("Publication"), {"fields": ["status", "publish_at"]}),
        (_("Presentation"), {"fields": ["tags", "cover", "cover_preview"]}),
        (
            _("Bookkeeping"),
            {"classes": ["collapse"], "fields": ["reading_minutes", "created_at", "updated_at"]},
        ),
    ]
    inlines = [CommentInline]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "summary":
            kwargs["widget"] = forms.Textarea(attrs={"rows": 2})
        elif db_field.name == "body":
            kwargs["widget"] = forms.Textarea(attrs={"rows": 18})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_queryset(self, request):
        posts = super().get_queryset(request)
        return posts.select_related("author__profile").with_comment_counts()

    def get_changeform_initial_data(self, request):
        return {"author": request.user.pk, **super().get_changeform_initial_data(request)}

    @admin.display(description="")
    def thumbnail(self, post):
        return format_html('<span class="thumbnail">{}</span>', cover_svg(post.cover, post.slug))

    @admin.display(description=_("preview"))
    def cover_preview(self, post):
        if not post.slug:
            return _("The cover is drawn once the post has been saved.")
        return format_html('<div class="preview">{}</div>', cover_svg(post.cover, post.slug))

    @admin.display(description=_("visibility"), ordering="status")
    def visibility(self, post):
        if post.status == Post.Status.DRAFT:
            kind, label = "draft", _("Draft")
        elif post.is_scheduled:
            kind, label = "scheduled", _("Scheduled")
        else:
            kind, label = "live", _("Live")
        return format_html('<span class="badge badge-{}">{}</span>', kind, label)

    @admin.display(description=_("comments"), ordering="comment_count")
    def comment_count(self, post):
        return post.comment_count

    def log_status_changes(self, request, posts):
        if posts:
            LogEntry.objects.log_actions(
                user_id=request.user.pk,
                queryset=posts,
                action_flag=CHANGE,
                # Field names are translated when the message is read.
                change_message=[{"changed": {"fields": ["status"]}}],
            )

    @admin.action(description=_("Publish selected posts"), permissions=["change"])
    @transaction.atomic
    def publish(self, request, queryset):
        posts = list(queryset.exclude(status=Post.Status.PUBLISHED))
        count = Post.objects.filter(pk__in=[post.pk for post in posts]).update(
            status=Post.Status.PUBLISHED, updated_at=timezone.now()
        )
        self.log_status_changes(request, posts)
        self.message_user(
            request,
            ngettext("%(count)d post published.", "%(count)d posts published.", count)
            % {"count": count},
            messages.SUCCESS,
        )

    @admin.action(description=_("Turn selected posts back into drafts"), permissions=["change"])
    @transaction.atomic
    def unpublish(self, request, queryset):
        posts = list(queryset.exclude(status=Post.Status.DRAFT))
        count = Post.objects.filter(pk__in=[post.pk for post in posts]).update(
            status=Post.Status.DRAFT, updated_at=timezone.now()
        )
        self.log_status_changes(request, posts)
        self.message_user(
            request,
            ngettext("%(count)d post is a draft now.", "%(count)d posts are drafts now.", count)
            % {"count": count},
            messages.SUCCESS,
        )


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):
    list_display = ["name", "slug", "description", "posts_in_total"]
    search_fields = ["name", "description"]
    prepopulated_fields = {"slug": ["name"]}

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(posts_in_total=Count("posts"))

    @admin.display(description=_("posts"), ordering="posts_in_total")
    def posts_in_total(self, tag):
        return tag.posts_in_total


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):
    list_display = ["excerpt", "name", "post", "created_at", "is_visible"]
    list_filter = ["is_visible", "created_at"]
    list_editable = ["is_visible"]
    list_select_related = ["post"]
    search_fields = ["name", "body", "post__title"]
    autocomplete_fields = ["post", "user"]
    date_hierarchy = "created_at"
    actions = ["show", "hide"]

    @admin.display(description=_("comment"), ordering="body")
    def excerpt(self, comment):
        return comment.body if len(comment.body) <= 60 else f"{comment.body[:59].rstrip()}…"

    @admin.action(description=_("Show selected comments to readers"), permissions=["change"])
    def show(self, request, queryset):
        self.set_visibility(request, queryset, True)

    @admin.action(description=_("Hide selected comments from readers"), permissions=["change"])
    def hide(self, request, queryset):
        self.set_visibility(request, queryset, False)

    def set_visibility(self, request, queryset, visible):
        count = queryset.update(is_visible=visible)
        self.message_user(
            request,
            ngettext("%(count)d comment changed.", "%(count)d comments changed.", count)
            % {"count": count},
            messages.SUCCESS,
        )
