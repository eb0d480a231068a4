"""The application of the lab: after a migration it brings the season's data files into the database."""

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.db.models.signals import post_migrate

from races.lib.memory import limit_arenas
from races.streams import connection
from races.streams.registry.service import Registry


class RacesConfig(AppConfig):
    name = "races"
    verbose_name = "Races"

    def ready(self) -> None:
        limit_arenas()  # must come before the first thread
        connection.configure(lambda: settings.LAB.kafka, lambda: Registry(settings.REGISTRY_PATH))
        post_migrate.connect(_load, sender=self)


def _load(sender: AppConfig, using: str, **_: Any) -> None:
    """After a migration the database has the season's grid and circuits, for the admin to show."""
    from races.models.season import sync_season

    sync_season(using)
