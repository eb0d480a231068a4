"""What the site needs once it is loaded, and the end of a start whose configuration is wrong."""

from __future__ import annotations

import sys

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import register
from django.db.backends.signals import connection_created

from f1site.checks import configuration
from f1site.sqlite import use_write_ahead_log


class SiteConfig(AppConfig):
    name = "f1site"

    def ready(self) -> None:
        """Raises SystemExit with one line, but for `manage.py check`, which shows each problem in Django's form."""
        register(configuration)
        if settings.CONFIGURATION_PROBLEMS and sys.argv[1:2] != ["check"]:
            first = settings.CONFIGURATION_PROBLEMS[0]
            raise SystemExit(f"{first.beginning}{first}")
        connection_created.connect(use_write_ahead_log)
