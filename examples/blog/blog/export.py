"""All published posts as a CSV file, sent while it is being read from the database."""

import csv

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from .models import Post
from .templatetags.blog_tags import author_name

CHUNK_SIZE = 100


class Echo:
    """A file for the csv module that hands back each line in place of storing it."""

    def write(self, line):
        return line


def rows(header, zone):
    # The rows are made after the view has returned, when the time zone and the language of the
    # request are no longer active. That is why both are passed in.
    writerow = csv.writer(Echo()).writerow
    yield "\ufeff"  # So that spreadsheet programs recognise UTF-8.
    yield writerow(header)
    posts = Post.objects.published().for_listing()
    for post in posts.iterator(chunk_size=CHUNK_SIZE):
        yield writerow(
            [
                post.title,
                author_name(post.author),
                timezone.localtime(post.publish_at, zone).strftime("%Y-%m-%d %H:%M"),
                ", ".join(tag.name for tag in post.tags.all()),
                post.reading_minutes,
                post.comment_count,
                post.get_absolute_url(),
            ]
        )


@require_safe
def posts_csv(request):
    header = [
        _("Title"),
        _("Author"),
        _("Published"),
        _("Tags"),
        _("Minutes to read"),
        _("Comments"),
        _("Address"),
    ]
    return StreamingHttpResponse(
        rows(header, timezone.get_current_timezone()),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="posts.csv"'},
    )
