from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Count, Max, Prefetch
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe
from django.views.generic import (
    ArchiveIndexView,
    DetailView,
    ListView,
    MonthArchiveView,
    YearArchiveView,
)
from django.views.generic.edit import FormMixin

from .forms import CommentForm
from .models import Comment, Post, Tag

POSTS_PER_PAGE = 10


class PostListView(ListView):
    template_name = "blog/post_list.html"
    context_object_name = "posts"
    paginate_by = POSTS_PER_PAGE

    def get_queryset(self):
        return Post.objects.published().for_listing()

    def get_context_data(self, **kwargs):
        context = super().get_context_data(**kwargs)
        page = context["page_obj"]
        context["page_numbers"] = page.paginator.get_elided_page_range(page.number, on_each_side=2)
        return context


class HomeView(PostListView):
    """The front page, which is also the search page."""

    @cached_property
    def query(self):
        return " ".join(self.request.GET.get("q", "").split())

    def get_queryset(self):
        return super().get_queryset().search(self.query)

    def get_context_data(self, **kwargs):
        tags = Tag.objects.with_post_counts().filter(post_count__gt=0)
        return super().get_context_data(query=self.query, tags=tags, **kwargs)


class TagView(PostListView):
    template_name = "blog/tag.html"

    @cached_property
    def tag(self):
        return get_object_or_404(Tag, slug=self.kwargs["slug"])

    def get_queryset(self):
        return super().get_queryset().filter(tags=self.tag)

    def get_context_data(self, **kwargs):
        return super().get_context_data(tag=self.tag, **kwargs)


class AuthorView(PostListView):
    template_name = "blog/author.html"

    @cached_property
    def author(self):
        users = get_user_model().objects.filter(is_active=True).select_related("profile")
        return get_object_or_404(users, username=self.kwargs["username"])

    def get_queryset(self):
        return super().get_queryset().filter(author=self.author)

    def get_context_data(self, **kwargs):
        return super().get_context_data(author=self.author, **kwargs)


class AuthorListView(ListView):
    template_name = "blog/author_list.html"
    context_object_name = "authors"

    def get_queryset(self):
        return (
            get_user_model()
            .objects.filter(Post.live_condition("posts__"), is_active=True)
            .select_related("profile")
            .annotate(post_count=Count("posts"), latest=Max("posts__publish_at"))
            .order_by("-post_count", "username")
        )


class PostView(FormMixin, DetailView):
    """A post with its comments, and the form to add one."""

    template_name = "blog/post_detail.html"
    context_object_name = "post"
    form_class = CommentForm

    def get_queryset(self):
        comments = Comment.objects.visible().select_related("user__profile")
        return (
            Post.objects.visible_to(self.request.user)
            .select_related("author__profile")
            .prefetch_related("tags", Prefetch("comments", comments, to_attr="visible_comments"))
        )

    def get_form_kwargs(self):
        return {
            **super().get_form_kwargs(),
            "instance": Comment(post=self.object),
            "user": self.request.user,
        }

    def get_context_data(self, **kwargs):
        published = Post.objects.published().only("title", "slug", "publish_at", "cover")
        earlier = published.filter(publish_at__lt=self.object.publish_at).first()
        later = published.filter(publish_at__gt=self.object.publish_at).last()
        return super().get_context_data(earlier=earlier, later=later, **kwargs)

    def post(self, request, *args, **kwargs):
        self.object = self.get_object()
        if not self.object.is_live:
            raise PermissionDenied
        form = self.get_form()
        if form.is_valid():
            comment = form.save()
            messages.success(request, _("Thank you, your comment has been added."))
            return redirect(comment)
        return self.render_to_response(self.get_context_data(form=form))


class ArchiveMixin:
    date_field = "publish_at"
    context_object_name = "posts"

    def get_queryset(self):
        return Post.objects.published().for_listing()


class ArchiveView(ArchiveMixin, ArchiveIndexView):
    template_name = "blog/archive.html"
    date_list_period = "month"
    paginate_by = POSTS_PER_PAGE
    allow_empty = True


class ArchiveYearView(ArchiveMixin, YearArchiveView):
    template_name = "blog/archive_year.html"
    make_object_list = True


class ArchiveMonthView(ArchiveMixin, MonthArchiveView):
    template_name = "blog/archive_month.html"
    month_format = "%m"


@require_safe
def robots(request):
    lines = [
        "User-agent: *",
        "Disallow: /accounts/",
        "Disallow: /admin/",
        f"Sitemap: {request.build_absolute_uri(reverse('django.contrib.sitemaps.views.sitemap'))}",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")


@sync_to_async
def table_list():
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA table_list")
        columns = [column[0] for column in cursor.description]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


@require_safe
async def example_d1(request):
    """The database's tables, read through the platform's own binding where there is one."""
    try:
        from django_on_workers import env, storage
    except ImportError:
        binding, tables = "sqlite", await table_list()
    else:
        if hasattr(env, "DB"):
            result = await env.DB.prepare("PRAGMA table_list").all()
            binding, tables = "d1", result.results.to_py()
        else:
            binding = "durable-object"
            tables = storage.sql.exec("PRAGMA table_list").toArray().to_py()
    return JsonResponse({"binding": binding, "tables": tables})
