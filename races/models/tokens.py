"""Tokens for scripts. Only a token's digest is stored, so that nobody can read one from the database."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import models
from django.utils import timezone

PREFIX = "f1_"


class TokenExpired(Exception):
    """The token was right, and its time is over. The message says since when."""


class ApiToken(models.Model):
    name = models.CharField(max_length=80, unique=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def client(self) -> str:
        """Whose races they are, for the limits."""
        return f"token:{self.pk}"

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()


def create_token(name: str, days: float | None = None) -> str:
    """The new token's text, which is shown once. Raises IntegrityError where the name is taken."""
    text = PREFIX + secrets.token_urlsafe(32)
    until = None if days is None else timezone.now() + timedelta(days=days)
    ApiToken.objects.create(name=name, digest=_digest(text), expires_at=until)
    return text


def token_of(text: str) -> ApiToken | None:
    """The token that the text is; None where it is none. Raises TokenExpired."""
    found = ApiToken.objects.filter(digest=_digest(text)).first()
    if found is not None and found.expires_at is not None and found.expired:
        raise TokenExpired(f"The token expired on {found.expires_at:%Y-%m-%d %H:%M} UTC.")
    return found


def _digest(text: str) -> str:
    """A token has 256 random bits, so that a plain hash cannot be guessed back."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
