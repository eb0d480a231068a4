from __future__ import annotations

from django.apps import AppConfig
from django.db.backends.signals import connection_created

from f1site.sqlite import use_write_ahead_log


class SiteConfig(AppConfig):
    name = "f1site"

    def ready(self) -> None:
        connection_created.connect(use_write_ahead_log)
