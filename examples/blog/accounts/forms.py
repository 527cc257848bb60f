from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from .models import Profile, validate_time_zone
from .timezones import time_zone_choices


class SignUpForm(UserCreationForm):
    display_name = forms.CharField(
        label=_("Display name"),
        max_length=80,
        required=False,
        help_text=_("Shown in place of your username."),
    )
    email = forms.EmailField(label=_("Email address"), required=False)

    class Meta(UserCreationForm.Meta):
        model = get_user_model()
        fields = ["username", "display_name", "email"]

    @transaction.atomic
    def save(self, commit=True):
        user = super().save(commit=commit)
        if commit:
            user.profile.display_name = self.cleaned_data["display_name"]
            user.profile.save(update_fields=["display_name"])
        return user


class ProfileForm(forms.ModelForm):
    website = Profile._meta.get_field("website").formfield(assume_scheme="https")

    class Meta:
        model = Profile
        fields = ["display_name", "bio", "location", "website"]
        widgets = {"bio": forms.Textarea(attrs={"rows": 5})}


class TimeZoneForm(forms.Form):
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=time_zone_choices,
        validators=[validate_time_zone],
        help_text=_("Every date and time on the site is shown in this zone."),
    )
