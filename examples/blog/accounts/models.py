from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .timezones import get_time_zone


def validate_time_zone(value):
    if get_time_zone(value) is None:
        raise ValidationError(
            _("“%(value)s” is not a time zone on offer."),
            code="invalid_time_zone",
            params={"value": value},
        )


class Profile(models.Model):
    """What the site knows about a user beyond the account itself."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="profile",
        verbose_name=_("user"),
    )
    display_name = models.CharField(
        _("display name"),
        max_length=80,
        blank=True,
        help_text=_("Shown in place of your username."),
    )
    bio = models.TextField(_("about you"), max_length=600, blank=True)
    location = models.CharField(_("location"), max_length=80, blank=True)
    website = models.URLField(_("website"), blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, blank=True, validators=[validate_time_zone]
    )

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("blog:author", args=[self.user.get_username()])

    @property
    def name(self):
        return self.display_name or self.user.get_full_name() or self.user.get_username()

    @property
    def initials(self):
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    @property
    def hue(self):
        """A colour of the user's own for the avatar, the same on every page."""
        return (self.user_id * 67 + 20) % 360
