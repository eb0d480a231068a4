import re
from functools import cache
from math import dist
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from races.board.board import Board
from races.board.frames import CarFrame, Frame, Note, blank_car
from races.board.race_info import CarInfo, RaceInfo
from races.lib.throughput import Throughput
from races.live.rendering import panels
from races.live.rendering.header import RaceStatus
from races.live.rendering.panels import Pipeline, Stream, note_item
from races.live.rendering.screen import Screen, screen_of
from races.live.rendering.tower import attackers, average_cells, fast_cells
from races.live.rendering.track_map import track_map
from races.models import Race
from races.models.race_info import info_for
from races.sim import circuit_slugs
from races.streams.topics import ROLES
from tests.live import synthetic
from tests.live.dom import Node, Page, parse
from tests.live.synthetic import RACE_ID, START, feed

INFO = synthetic.info()
CELL = r'<(?:b|progress) id="[^"]+".*?</(?:b|progress)>'
FAST = r'<b id="(?:pos|won|state|gap|int|last|best|s[123])-[A-Z]{3}"'
NASTY = "<script>alert('&')</script>\""


def race(first: int, last: int) -> list[Frame]:
    board = Board(INFO)
    return [feed(board, number) for number in range(first, last + 1)]


@cache
def frames() -> list[Frame]:
    return race(0, 420)


@given(st.integers(0, 380), st.integers(1, 40))
@settings(max_examples=12)
def test_following_and_joining_show_the_same(first: int, count: int) -> None:
    screen = screen_of(INFO, frames()[first])
    page = Page(screen.snapshot())
    for frame in frames()[first + 1 : first + 1 + count]:
        page.apply(screen.show(frame))
    assert page.html() == Page(screen.snapshot()).html()


@given(st.integers(0, 380), st.integers(1, 40))
@settings(max_examples=15)
def test_nothing_is_older_than_a_second(first: int, count: int) -> None:
    last = first + count
    screen = screen_of(INFO, frames()[first])
    for frame in frames()[first + 1 : last + 1]:
        screen.show(frame)
    newest = [
        set(re.findall(CELL, screen_of(INFO, frame).snapshot()))
        for frame in frames()[max(first, last - 4) : last + 1]
    ]
    shown = set(re.findall(CELL, screen.snapshot()))
    assert shown <= set().union(*newest)
    assert {cell for cell in newest[-1] if re.match(FAST, cell)} <= shown


def test_slow_cells_come_in_turns() -> None:
    screen = screen_of(INFO, frames()[100])
    kinds = ("tyre", "speed", "rejoin", "charts")
    brought = []
    for frame in frames()[101:111]:
        message = screen.show(frame)
        brought.append([kind for kind in kinds if re.search(rf'id="{kind}(-[A-Z]{{3}})?"', message)])
    assert max(map(len, brought)) == 1


def test_late_and_early_joiners_see_the_same() -> None:
    screen = screen_of(INFO, frames()[100])
    early = Page(screen.snapshot())
    for frame in frames()[101:113]:
        early.apply(screen.show(frame))
    late = Page(screen.snapshot())
    for frame in frames()[113:140]:
        message = screen.show(frame)
        early.apply(message)
        late.apply(message)
    assert early.html() == late.html()


def test_the_first_tick_fills_the_entry_list() -> None:
    screen = Screen(INFO)
    page = Page(screen.snapshot())
    assert len(page.element("rows").children) == 22
    page.apply(screen.show(frames()[0]))
    assert page.html() == Page(screen.snapshot()).html()


def test_another_field_gets_its_own_rows() -> None:
    frame = frames()[100].copy()
    frame["cars"] = frame["cars"][:10]
    screen = Screen(INFO)
    page = Page(screen.snapshot())
    page.apply(screen.show(frame))
    assert len(page.element("rows").children) == 10
    page.apply(screen.show(frames()[101]))
    assert len(page.element("rows").children) == 22


def test_an_older_frame_changes_nothing() -> None:
    screen = screen_of(INFO, frames()[100])
    assert screen.show(frames()[99]) == ""


def test_late_words_and_the_result_arrive() -> None:
    board = Board(INFO)
    over = feed(board, 440)
    assert over["phase"] == "over"
    screen = screen_of(INFO, frames()[420])
    page = Page(screen.snapshot())
    assert page.element("result").text() == ""
    page.apply(screen.show(over))
    winner = over["cars"][0]["driver_name"]
    assert f"{winner} wins" in page.element("result").text()
    late = board.apply(
        "commentary",
        {"id": "z", "message": "What a race!", "timestamp": START, "type": "info", "race_id": None},
    )
    assert late
    page.apply(screen.show(late))
    assert "What a race!" in page.element("commentary").text()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (RaceStatus("queued"), "Waiting for a worker"),
        (RaceStatus("failed", "the model raised"), "This race failed. the model raised"),
        (RaceStatus("stopped"), "Red flag"),
        (RaceStatus("running", waiting_for="the broker is away"), "Waiting: the broker is away"),
    ],
)
def test_each_state_of_a_race_has_its_words(status: RaceStatus, words: str) -> None:
    screen = screen_of(INFO, frames()[100])
    page = Page(screen.snapshot())
    page.apply(screen.set_status(status))
    assert words in page.element("status").text()
    assert screen.set_status(status) == ""


def test_a_stopped_race_shows_its_order() -> None:
    screen = screen_of(INFO, frames()[200])
    page = Page(screen.snapshot())
    page.apply(screen.set_status(RaceStatus("stopped")))
    assert "Race stopped" in page.element("result").text()
    assert "wins" not in page.element("result").text()


def test_the_pipeline_says_what_is_quiet() -> None:
    roles = ("positions", "avg_speed", "race_control", "commentary")
    paces = {
        "positions": Throughput(110.0, 0.2),
        "avg_speed": Throughput(0.0, 12.0),
        "race_control": Throughput(0.0, 200.0),
    }
    screen = screen_of(INFO, frames()[100])
    page = Page(screen.snapshot())
    page.apply(screen.set_pipeline(Pipeline(tuple(Stream(role, 220.0, 3) for role in roles), 7), paces))
    footers = {role: page.element(f"footer-{role}") for role in roles}
    assert {role for role in roles if footers[role].attributes.get("class") == "quiet"} == {"avg_speed"}
    assert footers["positions"].text() == "110/s · newest 0.2 s ago"
    assert footers["commentary"].text() == "nothing yet"
    assert page.element("lag-commentary").text() == "220/s, lag 3"
    assert page.element("sockets").text() == "7"


def test_hostile_texts_are_escaped() -> None:
    board = Board(INFO)
    for record in synthetic.tick(100, INFO):
        board.apply("positions", {**record, "driver_name": record["driver_name"] + NASTY, "tyre": NASTY,
                                  "flag": NASTY, "phase": NASTY, "stints": f"{NASTY} M1 <2"})  # fmt: skip
    board.apply(
        "commentary", {"id": NASTY, "message": NASTY, "timestamp": START, "type": NASTY, "race_id": None}
    )
    board.apply("race_control", synthetic.event(101, 1, NASTY, NASTY, NASTY))
    own = synthetic.event(101, 2, "retirement", INFO.own_code, f"CAR 1 ({INFO.own_code}) {NASTY}")
    board.apply("race_control", own)
    for record in synthetic.tick(101, INFO):
        board.apply("positions", {**record, "driver_name": record["driver_name"] + NASTY})
    assert board.frame
    html = screen_of(INFO, board.frame).snapshot()
    assert "Out of the race: &lt;script&gt;" in html, "the own race tells of it"
    assert "<script" not in html
    parse(html)


def test_messages_hold_no_script_and_no_style() -> None:
    html = screen_of(INFO, frames()[300]).snapshot() + screen_of(INFO, frames()[300]).show(frames()[301])
    assert not re.search(r"\sstyle=|<script|\son[a-z]+=", html)


def test_ids_are_unique() -> None:
    ids = [
        node.attributes["id"]
        for node in parse(screen_of(INFO, frames()[300]).snapshot()).nodes()
        if "id" in node.attributes
    ]
    assert len(ids) == len(set(ids))


def test_the_default_race_keeps_to_the_budget() -> None:
    """Tower, map and header under 12 KB a second, the whole page under 20 KB."""
    board = Board(INFO)
    narrow, whole = Screen(INFO, anomaly_on=False), Screen(INFO)
    streams = tuple(Stream(role, 110.0, 0) for role in ROLES)
    small = large = 0
    for number in range(32, 432):
        frame = feed(board, number)
        bare = frame.copy()
        bare["commentary"] = bare["control"] = []
        message, everything = narrow.show(bare), whole.show(frame)
        if number % 5 == 0:
            paces = {role: Throughput(110.0, number % 17 / 10) for role in ROLES}
            everything += whole.set_pipeline(Pipeline(streams, number % 7), paces)
        if number > 32:
            small, large = small + len(message.encode()), large + len(everything.encode())
    assert small / 399 * 5 < 12_000
    assert large / 399 * 5 < 20_000


def test_rows_follow_positions() -> None:
    rows = [
        row
        for row in Page(screen_of(INFO, frames()[200]).snapshot()).element("rows").children
        if not isinstance(row, str)
    ]
    assert [row.attributes["data-c"] for row in rows] == [car["driver_code"] for car in frames()[200]["cars"]]
    assert [row.attributes["data-c"] for row in rows if row.attributes.get("class") == "own"] == ["NOR"]


def test_a_stranger_has_a_row() -> None:
    few = synthetic.info()
    strangers = type(few)(**{**few.to_json(), "cars": few.cars[:5], "track": few.track})
    assert isinstance(strangers.cars[0], CarInfo)
    page = Page(screen_of(strangers, frames()[200]).snapshot())
    assert len(page.element("rows").children) == 22


def test_a_retired_car_has_no_average() -> None:
    cells: dict[str, str] = {}
    code = INFO.cars[0].code
    for status in ("racing", "retired"):
        car, slow = blank_car(INFO.cars[0]), blank_car(INFO.cars[1])
        car["status"], car["average_speed_kmh"], slow["average_speed_kmh"] = status, 66.1, 60.0
        average_cells(cells, [car, slow])
        out = status == "retired"
        assert ("OUT" in cells[f"speed-{code}"], 'value="0"' in cells[f"bar-{code}"]) == (out, out)


def test_bars_go_from_the_slowest_to_the_fastest() -> None:
    cells: dict[str, str] = {}
    cars = [blank_car(entry) for entry in INFO.cars[:3]]
    for car, speed in zip(cars, (231.0, 230.0, 230.5), strict=True):
        car["average_speed_kmh"] = speed
    average_cells(cells, cars)
    values = [re.findall(r'value="(\d+)"', cells[f"bar-{car['driver_code']}"])[0] for car in cars]
    assert values == ["40", "0", "20"]


def _column(name: str, *given: dict[str, Any]) -> list[Node]:
    """One column's cells of cars in this order."""
    cars = [cast(CarFrame, frames()[200]["cars"][at] | car) for at, car in enumerate(given)]
    attacking, cells = attackers(cars), dict[str, str]()
    for car in cars:
        fast_cells(cells, car, "race", car["driver_code"] in attacking)
    return [next(parse(cells[f"{name}-{car['driver_code']}"]).nodes()) for car in cars]


def test_the_first_of_a_queue_attacks() -> None:
    queue = [{"battle": False}, {"battle": True}, {"battle": True}, {"battle": False}, {"battle": True}]
    cars = [{"status": "racing", "overtake_mode": False, **car} for car in queue]
    assert [badge.text() for badge in _column("state", *cars)] == ["", "<1 s", "", "", "<1 s"]
    near = [interval.attributes.get("class") for interval in _column("int", *cars)]
    assert near == [None, "near", None, None, "near"]


def test_overtake_mode_shows_where_the_battle_is() -> None:
    badges = _column(
        "state",
        {"battle": False, "status": "racing", "overtake_mode": False},
        {"battle": True, "status": "racing", "overtake_mode": True},
        {"battle": True, "status": "pit", "overtake_mode": True},
    )
    assert [badge.text() for badge in badges] == ["", "OT", "PIT"]
    assert [badge.attributes["class"] for badge in badges] == ["", "bat ot", "pit"]


def test_a_note_stands_at_the_leaders_lap() -> None:
    notes = [
        Note(id=str(lap), at=START, kind="info", code="", lap=lap, text="words", drivers=[]) for lap in (0, 5)
    ]
    assert ["Grid" in note_item(notes[0]), "L5" in note_item(notes[1])] == [True, True]


@pytest.mark.parametrize("slug", circuit_slugs())
def test_sector_names_stand_off_the_track(slug: str) -> None:
    race = Race(driver_code="NOR", circuit=slug, circuit_name=slug, laps=5)
    drawing = track_map(info_for(race))
    names = re.findall(r'class="sname s\d" x="([\d.-]+)" y="([\d.-]+)"', drawing)
    [line] = re.findall(r'class="kerb" points="([^"]+)"', drawing)
    outline = [tuple(map(float, point.split(","))) for point in line.split()]
    assert len(names) == 3
    for x, y in names:
        assert 10 < float(x) < 990
        assert 10 < float(y) < 630
        assert min(dist((float(x), float(y)), point) for point in outline) > 28


def test_next_steps_stand_above_the_result() -> None:
    screen = screen_of(INFO, frames()[200])
    screen.set_status(RaceStatus("stopped"))
    result = str(screen.fragments()["result"])
    assert 0 < result.index(f'href="/races/{RACE_ID}/"') < result.index("<table")


def test_every_page_gets_the_same_row() -> None:
    assert ">you<" not in screen_of(INFO, frames()[200]).snapshot()


def said(text: str, drivers: list[str], kind: str = "info") -> Any:
    return {"id": "x", "at": START, "kind": kind, "code": "", "lap": 3, "text": text, "drivers": drivers}


def test_a_line_lights_at_most_three_cars() -> None:
    cars = panels.cars_by_code(INFO)
    text = "Norris, Russell, Leclerc and Verstappen go side by side."
    line = panels.note_item(said(text, ["NOR", "RUS", "LEC", "VER"]), "commentary", cars)
    assert 'data-lit="NOR RUS LEC"' in line
    assert line.count('class="lit"') == 3
    assert re.sub(r"<[^>]+>", "", line).endswith(text)


def test_a_whole_name_is_lit_as_one() -> None:
    line = panels.note_item(
        said("Lando Norris wins, and Norris waves.", ["NOR"]), "commentary", panels.cars_by_code(INFO)
    )
    assert re.search(r'<b class="lit"><svg.*?</svg>Lando Norris</b> wins, and Norris waves', line)


def test_a_line_on_the_whole_field_lights_nobody() -> None:
    line = panels.note_item(said("Lights out!", []), "commentary", panels.cars_by_code(INFO))
    assert "data-lit" not in line


def test_a_lit_name_is_escaped() -> None:
    few = INFO.to_json() | {"cars": [{"code": "XSS", "name": "A <b>B</b>", "number": 1, "team": "T"}]}
    cars = panels.cars_by_code(RaceInfo.from_json(few))
    line = panels.note_item(said("<b>B</b> leads", ["XSS"]), "commentary", cars)
    assert "<b>B</b>" not in line
