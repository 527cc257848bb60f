from django import template

from blog.covers import cover_svg
from blog.prose import render_prose

register = template.Library()


@register.simple_tag
def cover(post):
    """The post's cover art as inline SVG."""
    return cover_svg(post.cover, post.slug)


@register.filter
def prose(text):
    """The post's text as HTML."""
    return render_prose(text)


@register.filter
def author_name(user):
    """What to call a user: the display name if there is a profile, else the username."""
    profile = getattr(user, "profile", None)
    return profile.name if profile else user.get_username()
