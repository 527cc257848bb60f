import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from .models import Comment

LINK = re.compile(r"https?://", re.IGNORECASE)
MAX_LINKS = 2


class CommentForm(forms.ModelForm):
    class Meta:
        model = Comment
        fields = ["name", "body"]
        labels = {"name": _("Your name"), "body": _("Your comment")}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "body": forms.Textarea(attrs={"rows": 5}),
        }

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.user = user if user.is_authenticated else None
        if self.user:
            # Members comment under the name in their profile.
            del self.fields["name"]

    def clean_name(self):
        name = " ".join(self.cleaned_data["name"].split())
        if len(name) < 2:
            raise ValidationError(_("Please tell us your name."), code="name_too_short")
        return name

    def clean_body(self):
        body = self.cleaned_data["body"]
        if len(LINK.findall(body)) > MAX_LINKS:
            raise ValidationError(
                ngettext_lazy(
                    "A comment may hold at most %(count)d link.",
                    "A comment may hold at most %(count)d links.",
                    MAX_LINKS,
                ),
                code="too_many_links",
                params={"count": MAX_LINKS},
            )
        return body

    def save(self, commit=True):
        if self.user:
            profile = getattr(self.user, "profile", None)
            self.instance.user = self.user
            self.instance.name = profile.name if profile else self.user.get_username()
        return super().save(commit=commit)
