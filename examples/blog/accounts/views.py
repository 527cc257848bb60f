from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.auth.views import PasswordChangeView
from django.contrib.messages.views import SuccessMessageMixin
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import FormView, UpdateView

from .forms import ProfileForm, SignUpForm, TimeZoneForm
from .middleware import SESSION_KEY
from .models import Profile
from .timezones import city


class SignUpView(FormView):
    form_class = SignUpForm
    template_name = "accounts/signup.html"
    success_url = reverse_lazy("accounts:profile")

    def dispatch(self, request, *args, **kwargs):
        if request.user.is_authenticated:
            return redirect("accounts:profile")
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form):
        user = form.save()
        zone = self.request.session.get(SESSION_KEY)
        if zone:
            Profile.objects.filter(user=user).update(time_zone=zone)
        login(self.request, user)
        messages.success(
            self.request, _("Welcome, %(name)s! Your account is ready.") % {"name": user.profile}
        )
        return super().form_valid(form)


class ProfileView(LoginRequiredMixin, SuccessMessageMixin, UpdateView):
    form_class = ProfileForm
    template_name = "accounts/profile.html"
    success_url = reverse_lazy("accounts:profile")
    success_message = gettext_lazy("Your profile has been saved.")

    def get_object(self, queryset=None):
        profile, _created = Profile.objects.select_related("user").get_or_create(
            user=self.request.user
        )
        return profile


class PreferencesView(FormView):
    """The reader's time zone: kept in the session, and in the profile of those logged in."""

    form_class = TimeZoneForm
    template_name = "accounts/preferences.html"
    success_url = reverse_lazy("accounts:preferences")
    extra_context = {"now": timezone.now}

    def get_initial(self):
        return {"time_zone": timezone.get_current_timezone_name()}

    def form_valid(self, form):
        zone = form.cleaned_data["time_zone"]
        self.request.session[SESSION_KEY] = zone
        if self.request.user.is_authenticated:
            Profile.objects.update_or_create(user=self.request.user, defaults={"time_zone": zone})
        messages.success(
            self.request, _("Dates and times are now shown for %(zone)s.") % {"zone": city(zone)}
        )
        return super().form_valid(form)


class ChangePasswordView(SuccessMessageMixin, PasswordChangeView):
    template_name = "accounts/password_change.html"
    success_url = reverse_lazy("accounts:profile")
    success_message = gettext_lazy("Your password has been changed.")
