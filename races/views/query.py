"""What an address asks for, read with care: anybody may write anything there."""

from __future__ import annotations

from django.http import HttpRequest

DIGITS = 16


def whole_number(request: HttpRequest, name: str, otherwise: int, low: int, high: int) -> int:
    """Returns a whole number of the query, within its bounds; `otherwise` where it is missing or no number."""
    text = request.GET.get(name, "")
    good = text.isascii() and text.isdigit() and len(text) <= DIGITS
    return min(max(int(text) if good else otherwise, low), high)
