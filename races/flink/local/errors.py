"""What can go wrong on the way to a Flink on this machine."""

from __future__ import annotations


class CannotRun(Exception):
    """One line for the person: what is wrong and what to do about it."""
