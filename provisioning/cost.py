"""What it costs, estimated from list prices. The bill decides: https://confluent.cloud/settings/billing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from races.flink.confluent import CFU_HOUR

# List prices in US dollars, as known in September 2025; they differ a little by region.
BASIC_CLUSTER_HOUR = 0.0  # a Basic cluster's first eCKU has no base price, and ours is limited to one
SOURCE = "list prices of September 2025; traffic and storage come on top"


@dataclass(frozen=True, slots=True)
class Running:
    """One statement. since: when it was made; until: when it was stopped, None while it runs."""

    name: str
    since: datetime | None
    until: datetime | None = None


def hourly(running: int) -> float:
    """Gives the dollars an hour while that many statements run."""
    return BASIC_CLUSTER_HOUR + running * CFU_HOUR


def so_far(running: list[Running], now: datetime) -> float:
    """Gives the dollars as if each statement had run since it was made, at one CFU. A busy one takes more."""
    hours = (max(0.0, ((r.until or now) - r.since).total_seconds()) / 3600 for r in running if r.since)
    return sum(hours) * CFU_HOUR


def instant(text: object) -> datetime | None:
    if not isinstance(text, str) or not text:
        return None
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def age(since: datetime | None, now: datetime) -> str:
    """Gives an age in words: 3 d 4 h, 2 h 5 min, 7 min."""
    if since is None:
        return "?"
    minutes = max(0, int((now - since).total_seconds() // 60))
    days, hours, minutes = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def sentence(running: int) -> str:
    if not running:
        return "While it stands like this: no base price; Kafka's traffic and storage are billed by use."
    return (
        f"While it stands: about ${hourly(running):.2f} an hour for {running} running Flink "
        f"statement{'s' if running > 1 else ''} ({SOURCE})."
    )
