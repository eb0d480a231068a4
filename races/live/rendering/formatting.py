"""Figures and words as the page writes them. Fixed widths where figures stand in columns."""

from __future__ import annotations

FLAG_WORDS = {
    "green": "Green flag",
    "yellow": "Yellow flag",
    "vsc": "Virtual safety car",
    "safety_car": "Safety car",
    "red": "Red flag",
    "chequered": "Chequered flag",
}
NONE = "–"
LONGEST_S = 1e6  # eleven days: more is no time of a race, and near the largest float no number of thousandths


def lap_time(seconds: float | None) -> str:
    """Writes 1:21.345, or 21.345 for less than a minute; a dash for what is no time, as a negative one."""
    if seconds is None or not 0 <= seconds < LONGEST_S:
        return NONE
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    if minutes:
        return f"{minutes}:{rest // 1000:02d}.{rest % 1000:03d}"
    return f"{rest // 1000}.{rest % 1000:03d}"


def gap(seconds: float | None, laps_down: int = 0) -> str:
    if laps_down > 0:
        return f"+{laps_down} lap{'s' if laps_down > 1 else ''}"
    text = lap_time(seconds)
    return text if text == NONE else f"+{text}"


def places_won(places: int) -> str:
    """Writes ▲3 for places won since the start, ▼3 for places lost."""
    return f"▲{places}" if places > 0 else f"▼{-places}" if places < 0 else "·"


def ordinal(number: int) -> str:
    """Writes 1st, 2nd, 3rd, 4th, 11th, 22nd."""
    teen = number // 10 % 10 == 1
    return f"{number}{'th' if teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def clock(seconds: float) -> str:
    """Writes elapsed race time as 0:12:04; zero before the start."""
    whole = max(int(seconds), 0)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def flag_words(flag: str, yellow_sector: int, phase: str) -> str:
    if phase == "grid":
        return "On the grid"
    if phase == "over" and flag != "red":
        return "Finished"
    words = FLAG_WORDS.get(flag, flag.replace("_", " "))
    return f"{words}, sector {yellow_sector}" if flag == "yellow" and yellow_sector else words


def age(seconds: float) -> str:
    return f"{seconds:.1f} s ago" if seconds < 10 else f"{seconds:.0f} s ago"
