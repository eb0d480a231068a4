"""The page's own files: weight, contrast, and what its content security policy forbids."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static" / "races"
LIVE = ("tokens.css", "base.css", "race.css", "theme.js", "map.js", "live.js", "panels.js")

TEXT = ("ink", "ink-2", "ink-3", "own", "purple", "green", "yellow", "blue", "red", "amber")
GROUNDS = ("bg", "bg-low", "surface", "raised", "own-bg")
PAIRS = [
    *((text, ground) for text in TEXT for ground in ("bg", "bg-low", "surface")),
    *((text, "raised") for text in ("ink", "ink-2", "ink-3", "own")),
    *((text, "own-bg") for text in TEXT if text != "ink-3"),
    ("button-ink", "button"),
    ("bg", "amber"),  # the band of a lost connection, the badge of a battle
    ("bg", "red"),
]
# WCAG 1.4.11: what is not text but has to be seen
SHAPES = [
    ("edge", "surface"),
    ("edge", "bg"),
    ("soft", "surface"),
    ("medium", "surface"),
    ("hard", "surface"),
]


def tokens(theme: str) -> dict[str, str]:
    css = (STATIC / "tokens.css").read_text(encoding="utf-8")
    dark, light = re.findall(r"\{(.*?)\}", css, re.DOTALL)
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))
    return found if theme == "dark" else found | dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_text_on_every_ground_reaches_aa(theme: str) -> None:
    colours = tokens(theme)
    poor = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in PAIRS}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_shape_that_carries_meaning_can_be_told_from_its_ground(theme: str) -> None:
    colours = tokens(theme)
    poor = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in SHAPES}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 3} == {}


def test_the_light_set_names_only_tokens_of_the_dark_one_and_none_is_missing() -> None:
    css = (STATIC / "tokens.css").read_text(encoding="utf-8")
    dark, light = (set(re.findall(r"--([\w-]+):", part)) for part in re.findall(r"\{(.*?)\}", css, re.DOTALL))
    assert dark == light


def test_every_colour_that_the_styles_use_is_a_token() -> None:
    sizes = "s m l xl xxl r sans cond top foot row h k tyre"
    known = set(tokens("dark")) | set(sizes.split())
    for sheet in STATIC.glob("*.css"):
        assert set(re.findall(r"var\(--([\w-]+)", sheet.read_text(encoding="utf-8"))) <= known, sheet.name


@pytest.mark.parametrize("ending", [".js", ".css"])
def test_the_pages_own_files_stay_light(ending: str) -> None:
    pages = (
        LIVE,
        (*LIVE, "big.css", "replay.css", "replay.js"),
        ("tokens.css", "base.css", "report.css", "theme.js", "figures.js"),
        ("tokens.css", "base.css", "pick.css", "theme.js", "pick.js", "figures.js"),
    )
    for page in pages:
        assert sum((STATIC / name).stat().st_size for name in page if name.endswith(ending)) < 40_000


def test_nothing_is_inline_and_nothing_comes_from_another_host() -> None:
    for template in (ROOT / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|<style|\son[a-z]+=\"|javascript:", text), template
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), template
        assert not re.search(r"(src|href)=\"(https?:)?//", text), template
    for file in STATIC.iterdir():
        if file.suffix in (".css", ".js"):
            assert not re.search(
                r"https?://|@import|eval\(|\.style\.cssText", file.read_text(encoding="utf-8")
            ), file
