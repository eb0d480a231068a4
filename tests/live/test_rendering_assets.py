"""The page's own files: weight, contrast, and what its content security policy forbids."""

import gzip
import re
from itertools import combinations
from math import dist
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static" / "races"
EVERYWHERE = ("tokens.css", "base.css", "theme.js", "storage.js", "units.js")
SHEETS = ("race.css", "tower.css", "map.css", "panels.css", "screens.css", "record.css")
LIVE = (*EVERYWHERE, *SHEETS, "board.js", "map.js", "panels.js", "inspect.js", "spotlight.js")

TEXT = ("ink", "ink-2", "ink-3", "own", "purple", "green", "blue", "red", "warning")
GROUNDS = ("bg", "bg-low", "surface", "raised", "own-bg")
PAIRS = [
    *((text, ground) for text in TEXT for ground in ("bg", "bg-low", "surface")),
    *((text, "raised") for text in ("ink", "ink-2", "ink-3", "own")),
    *((text, "own-bg") for text in TEXT if text != "ink-3"),
    ("button-ink", "button"),
    ("on-flag", "amber"),  # flags, the badge of a battle, the band of a lost connection
    ("on-flag", "yellow"),
    ("on-medium", "medium"),
    ("bg", "red"),
]
# WCAG 1.4.11: what is not text but has to be seen
SHAPES = [
    ("edge", "surface"),
    ("edge", "bg"),
    ("soft", "surface"),
    ("yellow", "surface"),
    ("amber", "surface"),
    ("on-medium", "medium"),  # the ring and letter of a disc that is bright in both sets
    ("hard", "surface"),
]


CODES = ("own", "purple", "green", "yellow", "blue", "red", "amber", "soft", "medium", "hard")
ALIKE = 20.0  # CIE 1976: nearer than that two colours look alike


def blocks() -> list[str]:
    """The dark set, the light one, and the light one for printing."""
    css = (STATIC / "tokens.css").read_text(encoding="utf-8")
    return re.findall(r"\{([^{}]*?)\}", css, re.DOTALL)[:3]


def tokens(theme: str) -> dict[str, str]:
    dark, light = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks()[:2])
    return dark if theme == "dark" else dark | light


def lab(colour: str) -> tuple[float, float, float]:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    x = (0.4124564 * red + 0.3575761 * green + 0.1804375 * blue) / 0.95047
    y = 0.2126729 * red + 0.7151522 * green + 0.0721750 * blue
    z = (0.0193339 * red + 0.1191920 * green + 0.9503041 * blue) / 1.08883
    x, y, z = (one ** (1 / 3) if one > 0.008856 else 7.787 * one + 16 / 116 for one in (x, y, z))
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_no_two_codes_look_alike(theme: str) -> None:
    found = tokens(theme)
    near = {
        (one, other): round(dist(lab(found[one]), lab(found[other])), 1)
        for one, other in combinations(CODES, 2)
    }
    assert {pair: apart for pair, apart in near.items() if apart < ALIKE} == {}


def test_what_is_printed_has_the_light_set() -> None:
    _, light, printed = blocks()
    assert re.findall(r"--[\w-]+: [^;]+;", light) == re.findall(r"--[\w-]+: [^;]+;", printed)


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
    dark, light = (set(re.findall(r"--([\w-]+):", part)) for part in blocks()[:2])
    assert dark == light


def test_every_colour_is_a_token() -> None:
    sizes = "s m l xl xxl r sans cond top foot row h k tyre"
    known = set(tokens("dark")) | set(sizes.split())
    for sheet in STATIC.glob("*.css"):
        assert set(re.findall(r"var\(--([\w-]+)", sheet.read_text(encoding="utf-8"))) <= known, sheet.name


def test_scripts_and_styles_stay_light() -> None:
    """The budget counts what the lab sends, which is compressed."""
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
