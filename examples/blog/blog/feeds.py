from django.contrib.syndication.views import Feed
from django.urls import reverse_lazy
from django.utils.feedgenerator import Atom1Feed
from django.utils.translation import gettext_lazy as _

from .models import Post
from .prose import render_prose
from .templatetags.blog_tags import author_name


class LatestPostsFeed(Feed):
    title = _("Windfall")
    description = _("Notes on cooking, cycling, gardening and the small web.")
    link = reverse_lazy("blog:home")
    feed_url = reverse_lazy("blog:feed")

    def items(self):
        return (
            Post.objects.published().select_related("author__profile").prefetch_related("tags")[:15]
        )

    def item_title(self, post):
        return post.title

    def item_description(self, post):
        return render_prose(post.body)

    def item_author_name(self, post):
        return author_name(post.author)

    def item_pubdate(self, post):
        return post.publish_at

    def item_updateddate(self, post):
        return post.updated_at

    def item_categories(self, post):
        return [tag.name for tag in post.tags.all()]


class AtomPostsFeed(LatestPostsFeed):
    feed_type = Atom1Feed
    feed_url = reverse_lazy("blog:feed-atom")
    subtitle = LatestPostsFeed.description

    def item_description(self, post):
        return post.summary
