"""What all charts of a report are made of. A chart is a row of three drawings: labels, the plot, labels. The plot is
as wide as there is room; heights and letters keep their size, so that a chart reads on a phone as on a desk.

Lines live in a box of 1000 units that is stretched to the plot's width; dots and letters stand at shares of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

WIDE = 1000
LABEL_PX = 13  # room that a label takes


def line(points: Sequence[tuple[float, float]], kind: str, colour: str) -> str:
    """Draws a line, with a rim that lifts every colour from either ground; one point makes no line.

    points: share of the width, height in px.
    """
    if len(points) < 2:
        return ""
    path = "M" + "L".join(f"{x * WIDE:.0f} {y:.1f}" for x, y in points)
    return f'<path class="rim {kind}" d="{path}"/><path class="{kind}" stroke="{escape(colour)}" d="{path}"/>'


def band(first: float, last: float, height: float, kind: str) -> str:
    return f'<rect class="{kind}" x="{first:.2%}" width="{max(last - first, 0):.2%}" height="{height:g}"/>'


def text(x: float, y: float, words: str, kind: str = "") -> str:
    return f'<text class="{kind}" x="{x:.2%}" y="{y:.1f}">{escape(words)}</text>'


def dot(x: float, y: float, kind: str, colour: str, title: str = "", radius: float = 3.5) -> str:
    inner = f"<title>{escape(title)}</title>" if title else ""
    return f'<circle class="{kind}" cx="{x:.2%}" cy="{y:.1f}" r="{radius:g}" fill="{escape(colour)}">{inner}</circle>'


def rule(y: float) -> str:
    return f'<line class="rule" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'


def labels(places: Iterable[tuple[float, str, str]], height: float, side: str) -> str:
    """Writes labels at one side of a chart. places: (y, words, class) each."""
    texts = "".join(
        f'<text class="{kind}" {"x=" + chr(34) + "100%" + chr(34) if side == "left" else ""} y="{y:.1f}">'
        f"{escape(words)}</text>"
        for y, words, kind in places
    )
    return f'<svg class="{side}" height="{height:g}" aria-hidden="true">{texts}</svg>'


def chart(
    title: str,
    height: float,
    left: str,
    right: str,
    lines: str,
    marks: str,
    axes: tuple[str, str] = ("", ""),
    laps: int = 0,
    shown: Iterable[str] = (),
) -> str:
    """Puts a chart together. title: what somebody hears who does not see the chart; its table has the rest.

    axes: what goes across, and what goes up. laps: how many laps are as wide as the plot, where a chart can be read
    lap by lap; shown: the codes of its lines.
    """
    box = f'viewBox="0 0 {WIDE} {height:g}" preserveAspectRatio="none" width="100%" height="{height:g}"'
    named = f'<p class="axes"><span>↑ {escape(axes[1])}</span><span>{escape(axes[0])} →</span></p>'
    lapped = f' data-laps="{laps}" data-shown="{" ".join(shown)}"' if laps else ""
    reads = ' tabindex="0"' if laps else ""
    return (
        f'{named if any(axes) else ""}<div class="chart"{lapped}>{left}<svg class="plot" height="{height:g}" role="img"'
        f' aria-label="{escape(title)}"{reads}><svg {box}>{lines}</svg>{marks}</svg>{right}</div>'
    )


def spread(wanted: Sequence[float], low: float, high: float) -> list[float]:
    """The places nearest to those wanted (in rising order) at which labels don't cover each other."""
    places: list[float] = []
    for want in wanted:
        places.append(max(want, places[-1] + LABEL_PX if places else low))
    limit = high
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], limit)
        limit = places[index] - LABEL_PX
    return places


def lap_steps(laps: int) -> list[int]:
    """The laps that the axis names, about ten of them."""
    step = next((step for step in (1, 2, 5, 10) if laps / step <= 12), 10)
    return list(range(step, laps + 1, step))


def nice_step(span: float, about: int = 5) -> float:
    """Returns a round distance between rules: 1, 2 or 5 times a power of ten."""
    power = 0.001
    while True:
        for factor in (1, 2, 5):
            if span / (factor * power) <= about:
                return factor * power
        power *= 10
