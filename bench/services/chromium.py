"""Finds this machine's Chromium or Chrome."""

from __future__ import annotations

import os
import shutil

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium_path() -> str | None:
    """The path that F1_CHROMIUM names, or the first program found; None where there is none."""
    return os.environ.get("F1_CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
