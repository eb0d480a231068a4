"""The track map in a real browser, tick by tick: labels that hold still, and the lap as a ring."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from e2e.conftest import Lab, started
from e2e.replaying import RECEIVE, last, recorded, replay, seek, steps, until_finished, until_shown

pytestmark = pytest.mark.browser
TICKS_A_SECOND = 5
FIRST = 36  # the cars have left the grid


@pytest.fixture(scope="module")
def race(lab: Lab, chromium: Browser) -> str:
    return recorded(lab, chromium, "laps=4&pace=20&seed=7&circuit=spielberg")


# How many labels have changed since the last tick (come, gone, or on another side), and which of the kept ones overlap
LABELS = """() => {
  const dots = Array.from(document.querySelectorAll('.dot:not([hidden], .sc)'));
  const now = new Map(dots.map((dot) => [dot.dataset.c, dot.matches('.mute') ? '' : dot.dataset.side]));
  const before = window.labels ?? now;
  window.labels = now;
  let changed = 0;
  for (const [code, side] of now) changed += before.has(code) && before.get(code) !== side;
  const kept = document.querySelectorAll('.dot:is(.lead, .own, .followed, .spot):not(.mute, [hidden]) span');
  const boxes = Array.from(kept, (one) => one.getBoundingClientRect());
  const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
  return [changed, boxes.filter((box, k) => boxes.slice(0, k).some((other) => meet(box, other))).length];
}"""


def watched(page: Page, lab: Lab, race: str, count: int) -> tuple[list[int], list[int]]:
    """The labels that change with each tick, and the ticks at which kept labels overlap."""
    changes, overlaps = [], []
    for at in steps(page, lab, race, FIRST, count):
        if at == FIRST + 1:
            page.click("button[data-follow=HAM]")
        changed, overlapping = page.evaluate(LABELS)
        changes.append(changed)
        if overlapping:
            overlaps.append(at)
    return changes, overlaps


def calm(races: list[list[int]]) -> None:
    """At most two labels change in a second in the mean of these races, and six in the worst one."""
    seconds = [
        sum(changes[at : at + TICKS_A_SECOND])
        for changes in races
        for at in range(0, len(changes), TICKS_A_SECOND)
    ]
    assert sum(seconds) / len(seconds) <= 2, seconds
    assert max(seconds) <= 6, seconds


@pytest.mark.motion
def test_few_labels_change_in_a_second(page: Page, lab: Lab, race: str) -> None:
    changes, overlaps = watched(page, lab, race, 60)
    calm([changes])
    assert overlaps == []


@pytest.mark.motion
@pytest.mark.full
@pytest.mark.timeout(1200)
def test_labels_are_calm_everywhere(context: BrowserContext, chromium: Browser, lab: Lab) -> None:
    """On ten circuits with ten seeds, 2,000 ticks in all."""
    circuits = ("monza", "monaco", "spa", "singapore", "interlagos", "suzuka", "zandvoort", "baku", "hungaroring",
                "silverstone")  # fmt: skip
    changes, overlaps = [], []
    choices = [f"laps=6&pace=12&seed={seed}&circuit={circuit}" for seed, circuit in enumerate(circuits)]
    races = [started(lab, chromium, choice) for choice in choices]  # side by side
    for circuit, race in zip(circuits, races, strict=True):
        page = context.new_page()
        changed, overlapping = watched(page, lab, until_finished(lab, race), 200)
        page.close()
        changes.append(changed)
        overlaps += [(circuit, tick) for tick in overlapping]
    calm(changes)
    assert overlaps == []


# The places of the cars on the ring, from the line on, and that of the marker: each as a share of the lap
ON_THE_RING = """() => {
  const svg = document.getElementById('map');
  const box = svg.getBoundingClientRect();
  const scale = box.width / svg.viewBox.baseVal.width;
  const turn = (x, y) => (Math.atan2(x - 500, 320 - y) / (2 * Math.PI) + 1) % 1;
  const share = (dot) => {
    const body = dot.querySelector('.body').getBoundingClientRect();
    return turn((body.x + body.width / 2 - box.x) / scale, (body.y + body.height / 2 - box.y) / scale);
  };
  const dots = document.querySelectorAll('.dot:not([hidden], .sc, .own, .gone)');
  const cars = Array.from(dots, (dot) => [share(dot), dot.dataset.c]).sort((a, b) => a[0] - b[0]);
  const marker = svg.querySelector('.window');
  return [cars, turn(Number(marker.getAttribute('cx')), Number(marker.getAttribute('cy')))];
}"""


def test_the_ring_shows_where_a_stop_comes_out(page: Page, lab: Lab, race: str) -> None:
    """Between the cars of the prediction, as far from each as it says: the one then ahead, and the one then behind."""
    replay(page, lab, race, "?tick=90")
    page.keyboard.press("r")
    expect(page.locator("[data-do=ring]")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#map .sector").first).to_be_hidden()
    cars, _ = page.evaluate(ON_THE_RING)
    (behind_at, behind), (ahead_at, ahead) = cars[8:10]
    own = page.get_attribute("body", "data-own")
    words = f"P9, 1.0 s behind {ahead}, 3.0 s ahead of {behind}"
    page.evaluate(RECEIVE, f'<b id="rejoin-{own}">{words}</b>')
    for _ in range(2):  # the prediction is looked at once a second, and when the view changes
        page.keyboard.press("r")
    _, at = page.evaluate(ON_THE_RING)
    assert behind_at < at < ahead_at
    assert abs((ahead_at - at) / (ahead_at - behind_at) - 0.25) < 0.1
    expect(page.locator("#ringwords")).to_contain_text("after a stop P9")
    page.keyboard.press("r")
    expect(page.locator("#map .sector").first).to_be_visible()


def test_no_label_of_a_car_leaves_the_map(page: Page, lab: Lab, race: str) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    replay(page, lab, race)
    for at in range(36, last(page), 6):
        seek(page, at)
        until_shown(page, at)
        out = page.evaluate(
            """() => {
              const map = document.getElementById('panel-map').getBoundingClientRect();
              const labels = document.querySelectorAll('.dot:not([hidden], .mute) span');
              return Array.from(labels, (label) => label.getBoundingClientRect())
                .filter((label) => label.left < map.left || label.right > map.right).length;
            }"""
        )
        assert out == 0, f"at tick {at}"


# How many codes meet a sector's name; and 1 where the leader's lies on a car though another side was free
CODES = """() => {
  const boxes = (what) => Array.from(document.querySelectorAll(what), (one) => one.getBoundingClientRect());
  const meet = (a, b, by) =>
    a.left - by < b.right && b.left - by < a.right && a.top - by < b.bottom && b.top - by < a.bottom;
  const names = boxes('.sname');
  const map = document.getElementById('map').getBoundingClientRect();
  const codes = boxes('.dot:not([hidden], .mute) span');
  const lead = document.querySelector('.dot.lead');
  const label = lead.querySelector('span');
  const cars = boxes('.dot:not([hidden], .lead) .body');
  const others = [...names, ...cars, ...boxes('.dot:not([hidden], .mute, .lead) span')];
  const covers = cars.some((car) => meet(label.getBoundingClientRect(), car, -2));
  const chosen = lead.dataset.side;
  const free = ['n', 'e', 's', 'w'].filter((side) => {
    lead.dataset.side = side;
    const box = label.getBoundingClientRect();
    return box.left > map.left + 6 && box.right < map.right - 6 && !others.some((other) => meet(box, other, 7));
  });
  lead.dataset.side = chosen;
  return [codes.filter((code) => names.some((name) => meet(code, name, 0))).length, Number(covers && free.length > 0)];
}"""


def test_codes_keep_off_sectors_and_cars(page: Page, lab: Lab, race: str) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    replay(page, lab, race)
    for at in range(36, last(page), 6):
        seek(page, at)
        until_shown(page, at)
        assert page.evaluate(CODES) == [0, 0], f"at tick {at}"


# In every frame that plays: the labels that cover a sector's name or leave the map, and those that change their side
HELD = """() => {
  window.faults_ = [];
  let sides = new Map();
  document.addEventListener('board:changed', () => {
    const map = document.getElementById('panel-map').getBoundingClientRect();
    const names = Array.from(document.querySelectorAll('.sname'), (name) => name.getBoundingClientRect());
    const dots = Array.from(document.querySelectorAll('.dot:not([hidden], .mute, .lead, .own, .followed)'));
    for (const { dataset, lastElementChild } of dots) {
      const box = lastElementChild.getBoundingClientRect();
      const covers = names.some((name) =>
        box.left < name.right && name.left < box.right && box.top < name.bottom && name.top < box.bottom);
      if (covers) faults_.push(`${dataset.c} covers a sector's name`);
      if (box.left < map.left || box.right > map.right) faults_.push(`${dataset.c} leaves the map`);
      if (sides.has(dataset.c) && sides.get(dataset.c) !== dataset.side) faults_.push(`${dataset.c} changes its side`);
    }
    sides = new Map(dots.map(({ dataset }) => [dataset.c, dataset.side]));
  });
}"""


def test_labels_hold_still_and_keep_off(page: Page, lab: Lab, race: str) -> None:
    """From tick to tick a label stays where it is, or goes: it covers no sector's name even for a moment."""
    page.set_viewport_size({"width": 1024, "height": 768})
    for at in steps(page, lab, race, 36, 120):
        if at == 37:
            page.evaluate(HELD)
    assert page.evaluate("faults_") == []


@pytest.mark.motion
@pytest.mark.full
def test_a_late_tick_is_no_jump(page: Page, lab: Lab, race: str) -> None:
    """A message that comes seconds late goes on from the one before: no label is placed anew."""
    page.set_viewport_size({"width": 1024, "height": 768})
    for at in steps(page, lab, race, 36, 60):
        if at == 37:
            page.evaluate(HELD)
        page.clock.run_for(5000 if at % 4 == 0 else 0)
    assert page.evaluate("faults_") == []
