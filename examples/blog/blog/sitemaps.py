from django.contrib.sitemaps import Sitemap
from django.db.models import Max
from django.urls import reverse

from .models import Post, Tag


class PageSitemap(Sitemap):
    changefreq = "daily"

    def items(self):
        return ["blog:home", "blog:archive", "blog:authors"]

    def location(self, item):
        return reverse(item)


class PostSitemap(Sitemap):
    changefreq = "monthly"
    priority = 0.8

    def items(self):
        return Post.objects.published().only("slug", "updated_at")

    def lastmod(self, post):
        return post.updated_at


class TagSitemap(Sitemap):
    changefreq = "weekly"
    priority = 0.4

    def items(self):
        return (
            Tag.objects.filter(Post.live_condition("posts__"))
            .annotate(latest=Max("posts__publish_at"))
            .order_by("slug")
        )

    def lastmod(self, tag):
        return tag.latest


SITEMAPS = {"pages": PageSitemap, "posts": PostSitemap, "tags": TagSitemap}
