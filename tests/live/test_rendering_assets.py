"""The page's own files: weight, contrast, and what its content security policy forbids."""

import gzip
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static" / "races"
EVERYWHERE = ("tokens.css", "base.css", "theme.js", "storage.js", "units.js")
SHEETS = ("race.css", "tower.css", "map.css", "panels.css", "screens.css")
LIVE = (*EVERYWHERE, *SHEETS, "board.js", "map.js", "panels.js")

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
def test_every_shape_stands_out(theme: str) -> None:
    colours = tokens(theme)
    poor = {pair: round(contrast(colours[pair[0]], colours[pair[1]]), 2) for pair in SHAPES}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 3} == {}


def test_both_sets_have_the_same_tokens() -> None:
    css = (STATIC / "tokens.css").read_text(encoding="utf-8")
    dark, light = (set(re.findall(r"--([\w-]+):", part)) for part in re.findall(r"\{(.*?)\}", css, re.DOTALL))
    assert dark == light


def test_every_colour_is_a_token() -> None:
    sizes = "s m l xl xxl r sans cond top foot row h k tyre"
    known = set(tokens("dark")) | set(sizes.split())
    for sheet in STATIC.glob("*.css"):
        assert set(re.findall(r"var\(--([\w-]+)", sheet.read_text(encoding="utf-8"))) <= known, sheet.name


def test_scripts_and_styles_stay_light() -> None:
    """As the lab sends them: compressed."""
    pages = {
        "race": (*LIVE, "big.css", "live.js"),
        "replay": (*LIVE, "big.css", "replay.css", "replay.js"),
        "report": (*EVERYWHERE, "report.css", "document.js"),
        "start": (*EVERYWHERE, "pick.css", "pick.js", "document.js"),
    }
    sizes = {page: sum(len(gzip.compress((STATIC / name).read_bytes(), 6)) for name in names)
             for page, names in pages.items()}  # fmt: skip
    assert {page: size for page, size in sizes.items() if size > 45_000} == {}


def test_modules_import_what_exists() -> None:
    for script in STATIC.glob("*.js"):
        for name in re.findall(
            r"from '\./([\w.]+)'|import '\./([\w.]+)'", script.read_text(encoding="utf-8")
        ):
            assert (STATIC / "".join(name)).exists(), script.name


def test_styles_have_one_declaration_a_line() -> None:
    for sheet in STATIC.glob("*.css"):
        for line in sheet.read_text(encoding="utf-8").splitlines():
            assert line.count(";") <= 1 or "/*" in line or '"' in line, f"{sheet.name}: {line}"
            assert len(line) <= 140, f"{sheet.name}: {line}"


def test_nothing_inline_nothing_from_elsewhere() -> None:
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
