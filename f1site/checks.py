"""The configuration as Django's system checks: f1site.E001 for config.yaml, f1site.E002 for the environment."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error


def configuration(**_: Any) -> list[CheckMessage]:
    return [
        Error(str(problem), hint=problem.hint, id=problem.check_id)
        for problem in settings.CONFIGURATION_PROBLEMS
    ]
