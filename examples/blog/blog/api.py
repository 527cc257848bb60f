"""The JSON interface."""

from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db.models import Count, Max, Min, Sum
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from .models import Comment, Post, Tag
from .templatetags.blog_tags import author_name

DEFAULT_PAGE_SIZE = 10
MAX_PAGE_SIZE = 50


class BadParameterError(Exception):
    pass


def summary_of(post, request):
    return {
        "id": post.pk,
        "title": post.title,
        "slug": post.slug,
        "url": request.build_absolute_uri(post.get_absolute_url()),
        "author": {"username": post.author.get_username(), "name": author_name(post.author)},
        "summary": post.summary,
        "tags": [tag.slug for tag in post.tags.all()],
        "published": post.publish_at.isoformat(),
        "reading_minutes": post.reading_minutes,
        "comments": post.comment_count,
    }


def date_parameter(request, name):
    value = request.GET.get(name)
    if not value:
        return None
    try:
        date = parse_date(value)
    except ValueError:
        date = None
    if date is None:
        raise BadParameterError(_("“%(name)s” must be a date such as 2026-03-14.") % {"name": name})
    return date


def filtered_posts(request):
    """Published posts, narrowed by ?tag=, ?author=, ?q=, ?since= and ?until=."""
    posts = Post.objects.published()
    if tag := request.GET.get("tag"):
        posts = posts.filter(tags__slug=tag)
    if author := request.GET.get("author"):
        posts = posts.filter(author__username=author)
    if query := request.GET.get("q"):
        posts = posts.search(query)
    if since := date_parameter(request, "since"):
        posts = posts.filter(publish_at__date__gte=since)
    if until := date_parameter(request, "until"):
        posts = posts.filter(publish_at__date__lte=until)
    return posts


def page_size(request):
    value = request.GET.get("page_size", str(DEFAULT_PAGE_SIZE))
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= MAX_PAGE_SIZE):
        raise BadParameterError(
            _("“page_size” must be a number from 1 to %(max)d.") % {"max": MAX_PAGE_SIZE}
        )
    return int(value)


@require_safe
def posts(request):
    try:
        paginator = Paginator(filtered_posts(request).for_listing(), page_size(request))
        page = paginator.page(request.GET.get("page", 1))
    except (BadParameterError, PageNotAnInteger) as error:
        return JsonResponse({"error": str(error)}, status=400)
    except EmptyPage as error:
        return JsonResponse({"error": str(error)}, status=404)

    def link(number):
        query = request.GET.copy()
        query["page"] = number
        return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")

    return JsonResponse(
        {
            "count": paginator.count,
            "page": page.number,
            "pages": paginator.num_pages,
            "next": link(page.next_page_number()) if page.has_next() else None,
            "previous": link(page.previous_page_number()) if page.has_previous() else None,
            "results": [summary_of(post, request) for post in page],
        }
    )


@require_safe
def post(request, slug):
    queryset = (
        Post.objects.published()
        .select_related("author__profile")
        .prefetch_related("tags")
        .with_comment_counts()
    )
    found = get_object_or_404(queryset, slug=slug)
    return JsonResponse({**summary_of(found, request), "body": found.body})


@require_safe
async def stats(request):
    """Figures about the blog, gathered by an async view."""
    published = Post.objects.published()
    totals = await published.aaggregate(
        posts=Count("pk"),
        minutes=Sum("reading_minutes"),
        first=Min("publish_at"),
        latest=Max("publish_at"),
    )
    comments = await Comment.objects.visible().filter(Post.live_condition("post__")).acount()
    tags = Tag.objects.with_post_counts().filter(post_count__gt=0).order_by("-post_count", "name")
    authors = (
        published.order_by()
        .values("author__username")
        .annotate(posts=Count("pk"))
        .order_by("-posts", "author__username")
    )
    return JsonResponse(
        {
            "posts": totals["posts"],
            "comments": comments,
            "reading_minutes": totals["minutes"] or 0,
            "first": totals["first"],
            "latest": totals["latest"],
            "tags": {tag.slug: tag.post_count async for tag in tags},
            "authors": {row["author__username"]: row["posts"] async for row in authors},
        }
    )
