from importlib import import_module

from django.apps import AppConfig


class ConformanceRunnerConfig(AppConfig):
    name = "conformance_runner"

    def ready(self):
        # What every process would import first becomes part of the image.
        for module in ("admin.tests", "admin.sites", "admindocs.views", "staticfiles.testing"):
            import_module(f"django.contrib.{module}")
        for module in ("client", "html", "runner", "selenium", "signals", "utils"):
            import_module(f"django.test.{module}")
