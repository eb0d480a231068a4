"""Drawings that templates need and that no view should have to think of."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import segno
from django import template
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from races.board.race_info import Point, RaceInfo
from races.lab.addresses import room_address
from races.live.rendering import tower
from races.live.rendering import track_map as render_map
from races.models import Race

register = template.Library()


@register.simple_tag
def track_map(info: RaceInfo) -> SafeString:
    return mark_safe(render_map.track_map(info))  # noqa: S308  # escapes what it is given


@register.simple_tag
def outline(points: Sequence[Point]) -> SafeString:
    """Draws a circuit's shape alone."""
    return _drawn(tuple(points))


@lru_cache(maxsize=64)
def _drawn(points: tuple[Point, ...]) -> SafeString:
    """Draws each circuit once a process: the start page shows all of them."""
    return mark_safe(render_map.outline_svg(points))  # noqa: S308  # escapes what it is given


@register.filter
def km(metres: float) -> str:
    return f"{metres / 1000:.3f} km"


@register.filter
def instant(ms: int) -> str:
    """Writes an instant of a record, to the millisecond and in UTC; as a number where no calendar has it."""
    try:
        return f"{datetime.fromtimestamp(ms / 1000, UTC):%H:%M:%S}.{ms % 1000:03d}"
    except (OverflowError, ValueError, OSError):
        return f"{ms} ms"


@register.filter
def signed(number: int) -> str:
    return f"{number:+d}" if number else "0"


@register.filter(name="of")
def name_of(nodes: dict[str, Any], role: str) -> str:
    return str(nodes[role].name)


@register.filter
def surname(name: str) -> str:
    return tower.surname(name)


@register.simple_tag
def once() -> SafeString:
    """A mark of this form, so that pressing its button twice starts one race."""
    return format_html('<input type="hidden" name="once" value="{}">', secrets.token_urlsafe(9))


@register.simple_tag
def chip(colour: str) -> SafeString:
    """Draws a team's colour bar."""
    return mark_safe(tower.chip(colour))  # noqa: S308  # escapes what it is given


@register.inclusion_tag("races/live/short_code.html")
def short_code(request: HttpRequest, race: Race) -> dict[str, Any]:
    """Shows what a phone scans or types; nothing where no phone could reach the lab."""
    base = room_address(request)
    if not base:
        return {}
    return {
        "qr": qr(f"{base}{race.get_absolute_url()}"),
        "host": base.partition("//")[2],
        "path": reverse("join", args=[race.short_code]),
    }


@register.simple_tag
def qr(address: str) -> SafeString:
    """Draws the code inline, so that no other host is asked."""
    code = segno.make(address, error="m")
    # literal colours: phones read dark on light, whatever the page's theme
    drawn = code.svg_inline(border=2, dark="#0e1219", light="#ffffff", svgclass="qr", lineclass=None, scale=4)
    return mark_safe(drawn)  # noqa: S308  # escapes what it is given
