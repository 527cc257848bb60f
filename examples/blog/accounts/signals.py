from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.db.models.signals import post_save
from django.dispatch import receiver

from .middleware import SESSION_KEY
from .models import Profile


@receiver(post_save, sender=settings.AUTH_USER_MODEL)
def create_profile(sender, instance, created, raw, using, **kwargs):
    """Every account has a profile. Fixtures bring their own."""
    if created and not raw:
        Profile.objects.using(using).get_or_create(user=instance)


@receiver(user_logged_in)
def recall_time_zone(sender, request, user, **kwargs):
    """Bring the profile's time zone into the session, which is where the middleware looks."""
    if request is None or not hasattr(request, "session"):
        return
    profile = Profile.objects.filter(user=user).only("time_zone").first()
    if profile and profile.time_zone:
        request.session[SESSION_KEY] = profile.time_zone
