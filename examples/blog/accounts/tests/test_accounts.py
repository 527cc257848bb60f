from django.contrib.auth import get_user_model
from django.contrib.messages import get_messages
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from accounts.models import Profile, validate_time_zone
from blog.tests.base import BlogTestCase

User = get_user_model()
PASSWORD = "correct-horse-battery"


class ProfileTests(BlogTestCase):
    def test_every_user_gets_a_profile(self):
        user = self.make_user()
        self.assertEqual(user.profile.name, "ada")
        user.save()
        self.assertEqual(Profile.objects.count(), 1)

    def test_one_profile_each(self):
        user = self.make_user()
        with self.assertRaises(IntegrityError), transaction.atomic():
            Profile.objects.create(user=user)

    def test_names_and_initials(self):
        user = self.make_user(first_name="Ada", last_name="Lovelace")
        self.assertEqual(user.profile.name, "Ada Lovelace")
        self.assertEqual(user.profile.initials, "AL")
        user.profile.display_name = "Augusta Ada King"
        self.assertEqual(str(user.profile), "Augusta Ada King")
        self.assertEqual(user.profile.initials, "AK")

    def test_time_zone_is_validated(self):
        validate_time_zone("Europe/Paris")
        with self.assertRaisesMessage(ValidationError, "is not a time zone on offer"):
            validate_time_zone("Europe/Atlantis")

    def test_profile_page(self):
        user = self.make_user()
        self.assertRedirects(
            self.client.get("/accounts/profile/"), "/accounts/login/?next=/accounts/profile/"
        )
        self.client.force_login(user)
        data = {"display_name": "Ada", "bio": "Sums.", "website": "https://example.com/"}
        response = self.client.post("/accounts/profile/", data, follow=True)
        self.assertContains(response, "Your profile has been saved.")
        user.profile.refresh_from_db()
        self.assertEqual((user.profile.display_name, user.profile.bio), ("Ada", "Sums."))

    def test_bad_website(self):
        self.client.force_login(self.make_user())
        response = self.client.post("/accounts/profile/", {"website": "javascript:alert(1)"})
        self.assertFormError(response.context["form"], "website", "Enter a valid URL.")


class SignUpTests(BlogTestCase):
    data = {"username": "ada", "password1": PASSWORD, "password2": PASSWORD}

    def test_sign_up(self):
        response = self.client.post(
            "/accounts/signup/", {**self.data, "display_name": "Ada Lovelace"}, follow=True
        )
        self.assertRedirects(response, "/accounts/profile/")
        self.assertContains(response, "Welcome, Ada Lovelace! Your account is ready.")
        user = User.objects.get()
        self.assertEqual(user.profile.display_name, "Ada Lovelace")
        self.assertTrue(user.check_password(PASSWORD))
        self.assertFalse(user.is_staff)
        self.assertEqual(response.context["user"], user)

    def test_errors(self):
        self.make_user("ada")
        response = self.client.post("/accounts/signup/", {**self.data, "password2": "other"})
        form = response.context["form"]
        self.assertFormError(form, "username", "A user with that username already exists.")
        self.assertFormError(form, "password2", "The two password fields didn’t match.")
        self.assertEqual(User.objects.count(), 1)

    def test_weak_password(self):
        response = self.client.post(
            "/accounts/signup/", {"username": "ada", "password1": "12345", "password2": "12345"}
        )
        errors = response.context["form"].errors["password2"]
        self.assertEqual(len(errors), 3)
        self.assertFalse(User.objects.exists())

    def test_time_zone_picked_before_signing_up_is_kept(self):
        self.client.post("/accounts/preferences/", {"time_zone": "Asia/Tokyo"})
        self.client.post("/accounts/signup/", self.data)
        self.assertEqual(Profile.objects.get().time_zone, "Asia/Tokyo")
        self.assertEqual(self.client.session["time_zone"], "Asia/Tokyo")


class LogInTests(BlogTestCase):
    @classmethod
    def setUpTestData(cls):
        cls.user = cls.make_user("ada", password=PASSWORD)

    def log_in(self, password=PASSWORD, **data):
        return self.client.post(
            "/accounts/login/", {"username": "ada", "password": password, **data}
        )

    def test_log_in_and_out(self):
        self.assertRedirects(self.log_in(), "/")
        self.assertContains(self.client.get("/"), 'id="logout"')
        self.assertRedirects(self.client.post("/accounts/logout/"), "/")
        self.assertContains(self.client.get("/"), 'id="login"')

    def test_logging_out_takes_a_post(self):
        self.client.force_login(self.user)
        self.assertEqual(self.client.get("/accounts/logout/").status_code, 405)

    def test_wrong_password(self):
        response = self.log_in("wrong")
        self.assertContains(response, "Please enter a correct username and password.")
        self.assertNotIn("_auth_user_id", self.client.session)

    def test_next_page(self):
        self.assertRedirects(self.log_in(next="/accounts/profile/"), "/accounts/profile/")

    def test_next_page_stays_on_the_site(self):
        self.assertRedirects(self.log_in(next="https://example.com/"), "/")

    def test_change_password(self):
        self.client.force_login(self.user)
        data = {
            "old_password": PASSWORD,
            "new_password1": "a-new-and-better-one",
            "new_password2": "a-new-and-better-one",
        }
        response = self.client.post("/accounts/password/", data)
        self.assertRedirects(response, "/accounts/profile/")
        messages = [str(message) for message in get_messages(response.wsgi_request)]
        self.assertEqual(messages, ["Your password has been changed."])
        self.user.refresh_from_db()
        self.assertTrue(self.user.check_password("a-new-and-better-one"))
