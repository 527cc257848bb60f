from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.db import models
from django.utils.translation import gettext_lazy as _

from .models import Profile

User = get_user_model()


class ProfileInline(admin.StackedInline):
    model = Profile
    can_delete = False
    verbose_name_plural = _("profile")
    extra = 0
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    fields = ["display_name", "bio", ("location", "website"), "time_zone"]


admin.site.unregister(User)


@admin.register(User)
class AuthorAdmin(UserAdmin):
    """Django's user admin with the profile on the same page."""

    inlines = [ProfileInline]
    list_display = ["username", "display_name", "email", "is_staff", "last_login"]
    list_select_related = ["profile"]
    search_fields = [*UserAdmin.search_fields, "profile__display_name"]

    @admin.display(description=_("display name"), ordering="profile__display_name")
    def display_name(self, user):
        profile = getattr(user, "profile", None)
        return profile.display_name if profile else ""

    def get_inlines(self, request, obj):
        # A new user's profile is made by the post_save signal, so it is edited from then on.
        return super().get_inlines(request, obj) if obj else []
