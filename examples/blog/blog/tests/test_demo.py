from django.contrib.auth import get_user_model
from django.core.management import call_command

from accounts.models import Profile
from blog.covers import MOTIFS, cover_svg
from blog.models import Comment, Post, Tag

from .base import BlogTestCase


def counts():
    models = (get_user_model(), Profile, Tag, Post, Comment, Post.tags.through)
    return [model.objects.count() for model in models]


class DemoTests(BlogTestCase):
    def test_fixture_can_be_loaded_again_and_again(self):
        admin = self.make_user("admin", is_superuser=True)
        call_command("loaddata", "demo", verbosity=0)
        first = counts()
        call_command("loaddata", "demo", verbosity=0)
        self.assertEqual(counts(), first)
        admin.refresh_from_db()
        self.assertEqual(admin.profile.name, "admin")

    def test_fixture_is_consistent(self):
        call_command("loaddata", "demo", verbosity=0)
        self.assertGreaterEqual(Post.objects.published().count(), 40)
        self.assertTrue(Post.objects.drafts().exists())
        self.assertTrue(Post.objects.scheduled().filter(publish_at__year=2099).exists())
        for user in get_user_model().objects.all():
            self.assertFalse(user.has_usable_password())
        for post in Post.objects.all():
            post.full_clean()
            self.assertIn(post.cover, MOTIFS)
            minutes = post.reading_minutes
            post.save()
            self.assertEqual(post.reading_minutes, minutes, post)

    def test_a_new_user_does_not_collide_with_the_demo(self):
        call_command("loaddata", "demo", verbosity=0)
        user = self.make_user("latecomer")
        self.assertGreater(user.pk, 1004)
        self.assertEqual(user.profile.name, "latecomer")


class CoverTests(BlogTestCase):
    def test_same_seed_same_picture(self):
        for motif in MOTIFS:
            with self.subTest(motif=motif):
                cover_svg.cache_clear()
                first = cover_svg(motif, "a-post")
                cover_svg.cache_clear()
                self.assertEqual(cover_svg(motif, "a-post"), first)
                self.assertNotEqual(cover_svg(motif, "another-post"), first)

    def test_every_choice_has_a_motif(self):
        self.assertEqual(set(Post.Cover.values), set(MOTIFS))
