"""The commentator on a small field made by hand: when it speaks, and when it holds its tongue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from races.analytics.alarms import Alarm
from races.analytics.commentary.commentator import PAUSE, QUIET, STALE, Commentator, Line
from races.analytics.commentary.race_state import Race
from races.analytics.commentary.stories import not_stopped

NAMES = {"NOR": "Lando Norris", "PIA": "Oscar Piastri", "RUS": "George Russell", "HAM": "Lewis Hamilton"}
TEAMS = {"NOR": "McLaren", "PIA": "McLaren", "RUS": "Mercedes", "HAM": "Ferrari"}


class Scene:
    """A race whose every tick is told by hand. The grid is NOR, PIA, RUS, HAM; gaps are 2 s."""

    def __init__(self, laps: int = 12, race_id: str = "race") -> None:
        self.commentator = Commentator(race_id)
        self.order = list(NAMES)
        self.cars: dict[str, dict[str, Any]] = {code: {} for code in NAMES}
        self.common: dict[str, Any] = {
            "phase": "race",
            "flag": "green",
            "yellow_sector": 0,
            "lap": 5,
            "laps": laps,
        }
        self.tick = -1
        self.events = 0

    def tell(
        self, kind: str, who: str = "", other: str = "", position: int = 0, value: float | None = None
    ) -> None:
        """Announced with the tick that comes next."""
        message = {
            "race_id": "race", "tick": self.tick + 1, "timestamp": 0, "type": kind, "driver_code": who, "lap": 5,
            "message": "", "event": self.events, "other_code": other, "position": position, "value": value,
        }  # fmt: skip
        self.events += 1
        self.commentator.race_control(message)

    def advance(self, ticks: int = 1) -> list[Line]:
        return [line for _ in range(ticks) if (line := self._tick())]

    def _tick(self) -> Line | None:
        self.tick += 1
        lines = [self.commentator.position(self._record(code)) for code in NAMES]
        assert lines[:-1] == [[]] * 3  # a line comes with a tick's last position
        return next(iter(lines[-1]), None)

    def _record(self, code: str) -> dict[str, Any]:
        place = self.order.index(code) + 1
        return {
            "driver_name": NAMES[code], "position": place, "timestamp": self.tick * 200, "race_id": "race",
            "team_name": TEAMS[code], "speed": 200.0, "driver_code": code, "tick": self.tick, "field_size": 4,
            "lights": 0, "race_time_s": self.tick * 2.4, "lap_fraction": 0.5,
            "gap_s": 2.0 * (place - 1) if place > 1 else None, "interval_s": 2.0 if place > 1 else None, "laps_down": 0,
            "last_lap_s": None, "best_lap_s": None, "tyre": "SOFT", "tyre_age": 5, "stops": 0, "pit": False,
            "status": "racing", "grid": list(NAMES).index(code) + 1, "overtake_mode": False,
        } | self.common | self.cars[code]  # fmt: skip

    def quiet(self) -> None:
        """Feeds ticks until the last line is two seconds old and the next story is not due."""
        while not self.advance():
            pass
        self.advance(PAUSE - 1)

    def swap(self, first: int) -> None:
        self.order[first - 1 : first + 1] = self.order[first - 1 : first + 1][::-1]


def test_quiet_pass_for_lead_comes_at_once() -> None:
    scene = Scene()
    scene.quiet()
    scene.tell("overtake", "PIA", "NOR", 1)
    scene.swap(1)
    (line,) = scene.advance()
    assert (line.kind, line.type) == ("lead_change", "highlight")
    assert "Piastri" in line.text


def test_pass_after_a_line_waits() -> None:
    scene = Scene()
    scene.quiet()
    scene.tell("retirement", "HAM", position=4)
    scene.cars["HAM"] = {"status": "retired", "interval_s": None, "gap_s": None}
    assert [line.kind for line in scene.advance()] == ["retirement"]
    scene.tell("overtake", "PIA", "NOR", 1)
    scene.swap(1)
    assert scene.advance(PAUSE - 1) == []
    assert [line.kind for line in scene.advance()] == ["lead_change"]


def test_weightier_moment_comes_first() -> None:
    scene = Scene()
    scene.quiet()
    scene.tell("overtake", "RUS", "PIA", 2)
    scene.tell("safety_car")
    scene.swap(2)
    scene.common["flag"] = "safety_car"
    assert [line.kind for line in scene.advance()] == ["safety_car"]


def test_contradicted_moment_is_dropped() -> None:
    scene = Scene()
    scene.quiet()
    scene.tell("safety_car")
    scene.common["flag"] = "safety_car"
    scene.advance()
    scene.tell("overtake", "PIA", "NOR", 1)  # and back again before its turn has come
    scene.common["flag"] = "green"
    lines = scene.advance(STALE + PAUSE)
    assert "lead_change" not in {line.kind for line in lines}


def test_stale_moment_is_dropped() -> None:
    scene = Scene()
    scene.quiet()
    for place, code in ((2, "PIA"), (3, "RUS"), (4, "HAM")):
        scene.tell("retirement", code, position=place)
        scene.cars[code] = {"status": "retired", "interval_s": None, "gap_s": None}
    now = scene.tick + 1
    told = [line.tick - now for line in scene.advance(4 * QUIET) if line.kind == "retirement"]
    assert told == [0, PAUSE]  # the third would have come after two pauses, four seconds late
    assert 2 * PAUSE > STALE


def test_opening_lap_sum_is_no_pass() -> None:
    """Race control tells the first lap's gains at its end, when the board has shown them for long."""
    scene = Scene()
    scene.order = ["HAM", "NOR", "PIA", "RUS"]
    scene.common["lap"] = 2
    scene.quiet()
    scene.tell("overtake", "HAM", "NOR", 1)
    lines = scene.advance(QUIET)
    assert "opening_lap" in {line.kind for line in lines}
    assert not {"overtake", "lead_change"} & {line.kind for line in lines}


def test_repeated_message_gives_one_line() -> None:
    scene = Scene()
    scene.quiet()
    scene.tell("overtake", "PIA", "NOR", 1)
    scene.events -= 1
    scene.tell("overtake", "PIA", "NOR", 1)
    scene.swap(1)
    lines = scene.advance(3 * QUIET)
    assert [line.kind for line in lines].count("lead_change") == 1


def test_answered_pass_is_a_repass() -> None:
    scene = Scene()
    scene.quiet()
    scene.tell("overtake", "RUS", "PIA", 2)
    scene.swap(2)
    scene.advance(QUIET)
    scene.tell("overtake", "PIA", "RUS", 2)
    scene.swap(2)
    assert "repass" in {line.kind for line in scene.advance(PAUSE)}


def test_pitting_leader_hands_over_lead() -> None:
    scene = Scene()
    scene.quiet()
    scene.tell("pit_in", "NOR", position=1)
    scene.cars["NOR"] = {"pit": True, "status": "pit"}
    (line,) = scene.advance()
    assert line.kind == "pit_in_lead"
    scene.swap(1)
    (line,) = scene.advance(PAUSE)
    assert line.kind == "inherited_lead"
    assert "Piastri" in line.text


def test_lead_that_comes_back_is_no_first_change() -> None:
    scene = Scene()
    scene.common["lap"] = 1
    scene.quiet()
    kinds = []
    for _ in range(2):
        scene.swap(1)
        kinds += [line.kind for line in scene.advance(PAUSE) if "lead" in line.kind]
    assert kinds == ["start_lead", "lost_lead"]


def test_nobody_flies_after_the_flag() -> None:
    for status, kind in (("racing", "fastest_lap"), ("finished", "fastest_home")):
        scene = Scene()
        scene.common["lap"] = 12
        scene.quiet()
        scene.tell("fastest_lap", "PIA", position=2, value=80.0)
        scene.cars["PIA"] = {"status": status, "last_lap_s": 80.0, "best_lap_s": 80.0}
        assert kind in {line.kind for line in scene.advance(QUIET)}


def said_of(kind: str, change: Callable[[Scene], None]) -> set[str]:
    """What forty races would say of the same moment."""
    said = set()
    for number in range(40):
        scene = Scene(race_id=str(number))
        scene.quiet()
        change(scene)
        said |= {line.text for line in scene.advance(QUIET) if line.kind == kind}
    return said


def retirement_from(place: int) -> set[str]:
    def retire(scene: Scene) -> None:
        scene.tell("retirement", "HAM", position=place)
        scene.cars["HAM"] = {"status": "retired", "interval_s": None, "gap_s": None}

    return said_of("retirement", retire)


def test_only_front_places_are_mourned() -> None:
    assert any("Heartbreak" in text for text in retirement_from(2))
    assert any("begging" in text for text in retirement_from(9))
    last = retirement_from(22)
    assert len(last) > 4
    assert not any("Heartbreak" in text or "begging" in text for text in last)


def test_only_big_lead_is_mourned() -> None:
    def safety_car(scene: Scene) -> None:
        scene.tell("safety_car")
        scene.common["flag"] = "safety_car"

    def small(scene: Scene) -> None:
        safety_car(scene)
        scene.cars["PIA"] = {"interval_s": 0.4, "gap_s": 0.4}

    def big(scene: Scene) -> None:
        safety_car(scene)
        scene.cars["PIA"] = {"interval_s": 8.0, "gap_s": 8.0}

    assert any("is gone" in text for text in said_of("safety_car", big))
    assert not any("is gone" in text or "clear" in text for text in said_of("safety_car", small))


def test_a_call_names_no_later_lap() -> None:
    """The safety car is called on lap 5, and told when the leader has begun lap 6."""

    def called(scene: Scene) -> None:
        scene.tell("safety_car")
        scene.common |= {"flag": "safety_car", "lap": 6}

    said = said_of("safety_car", called)
    assert len(said) > 4
    assert not any("on lap" in text for text in said)


def test_neutral_penultimate_lap_is_silent() -> None:
    for flag in ("green", "safety_car"):
        scene = Scene()
        scene.common |= {"lap": 10, "flag": flag}
        scene.quiet()
        scene.common["lap"] = 11
        kinds = {line.kind for line in scene.advance(QUIET)}
        assert "last_lap_neutral" not in kinds
        assert ("penultimate_lap" in kinds) == (flag == "green")


def test_mistake_has_a_line() -> None:
    """The mistake of a car that races on is told; a car that is out by then has a bigger story."""
    for status in ("racing", "retired"):
        scene = Scene()
        scene.quiet()
        scene.cars["NOR"] = {"status": status}
        scene.tell("off_track", "NOR", position=1, value=1.62)
        told = [line for line in scene.advance(PAUSE) if line.kind == "off_track"]
        assert bool(told) == (status == "racing")
        assert all("Norris" in line.text for line in told)


def test_leader_who_lost_the_lead_is_none() -> None:
    """The lead has gone with the stop: nobody calls the car in the pit lane the leader any more."""
    scene = Scene()
    scene.quiet()
    scene.tell("retirement", "HAM", position=4)
    scene.cars["HAM"] = {"status": "retired", "interval_s": None, "gap_s": None}
    scene.advance()
    scene.tell("pit_in", "NOR", position=1)
    scene.cars["NOR"] = {"pit": True, "status": "pit"}
    scene.advance(3)
    scene.swap(1)
    lines = scene.advance(3 * QUIET)
    assert [line.kind for line in lines if line.kind.startswith(("pit_in", "inherited"))] == [
        "inherited_lead"
    ]


def test_a_car_in_the_lane_is_not_yet_to_stop() -> None:
    """Four of ten cars have made no stop, and one of those is in the pit lane: three have yet to come in."""
    race, car = Race(), Scene()._record("NOR")
    places = range(1, 11)
    cars = {
        f"C{n}": {"driver_code": f"C{n}", "position": n, "stops": int(n > 4), "pit": n == 1} for n in places
    }
    race.turn(0, {code: car | fields for code, fields in cars.items()})
    facts = [fact for _, candidate in not_stopped(race) for fact in candidate.facts]
    assert [fact.value for fact in facts if fact.claim == "unstopped_top10"] == [3]


def test_slow_laps_have_a_line() -> None:
    """A car 4 s off its best lap on green, alone on the road: first the lap is told, then that the tyres are gone."""
    scene = Scene()
    scene.cars["RUS"] = {"interval_s": 3.0}
    kinds = []
    for lap in range(5, 10):
        late = {"last_lap_s": 84.0 if lap > 6 else 80.0, "best_lap_s": 80.0, "tyre_age": lap}
        scene.common |= {"lap": lap} | {"last_lap_s": 80.0, "best_lap_s": 80.0}
        scene.cars["RUS"] |= late
        kinds += [line.kind for line in scene.advance(40) if "Russell" in line.text]
    assert [kind for kind in kinds if kind in ("slow_lap", "tyres_gone")][:1] == ["slow_lap"]
    assert "tyres_gone" in kinds


def test_alarm_has_one_line() -> None:
    scene = Scene()
    scene.commentator = Commentator("race", alarms=True)
    alarm = Alarm("race:RUS", "overheating", "warning", "high", 0, None, 7.2, 131.0)
    lines = []
    for tick in range(60):
        scene.common["lap"] = 5
        for number, _ in enumerate(NAMES):
            raised = [alarm] if tick in (30, 40) and number == 3 else []
            lines += scene.commentator.reading(tick, raised)
        lines += scene.advance()
    told = [line for line in lines if line.kind == "engine_hot"]
    assert len(told) == 1 and "Russell" in told[0].text and told[0].type == "warning"


def test_no_restart_on_the_last_lap() -> None:
    for lap in (11, 12):
        scene = Scene()
        scene.common |= {"lap": lap, "flag": "safety_car"}
        scene.quiet()
        scene.tell("safety_car_ending")
        told = "safety_car_ending" in {line.kind for line in scene.advance(QUIET)}
        assert told == (lap == 11)


def test_no_battle_behind_safety_car() -> None:
    scene = Scene()
    for code in ("PIA", "RUS", "HAM"):
        scene.cars[code] = {"interval_s": 0.4}
    scene.common["flag"] = "safety_car"
    assert not {"battle", "long_battle", "train"} & {line.kind for line in scene.advance(20 * QUIET)}


def test_lapped_cars_only_with_safety_car() -> None:
    scene = Scene()
    scene.common["flag"] = "safety_car"
    scene.quiet()
    scene.tell("lapped_cars")
    assert [line.kind for line in scene.advance(PAUSE)][:1] == ["lapped_cars"]
    scene.quiet()
    scene.tell("lapped_cars")
    scene.common["flag"] = "green"
    assert "lapped_cars" not in [line.kind for line in scene.advance(PAUSE)]


def test_only_the_grid_before_the_start() -> None:
    scene = Scene()
    scene.common |= {"phase": "grid", "lap": 0, "laps": 12}
    lines = scene.advance(40)
    assert {line.kind for line in lines} == {"grid", "grid_field"}
    assert lines[0].tick == 0


def test_incomplete_tick_gives_no_line() -> None:
    scene = Scene()
    scene.tick = 0
    commentator = scene.commentator
    assert commentator.position(scene._record("NOR")) == []
    scene.tick = 1
    assert [commentator.position(scene._record(code)) for code in ("NOR", "PIA", "RUS")] == [[]] * 3
    assert len(commentator.position(scene._record("HAM"))) == 1


def test_line_has_the_time_of_its_tick() -> None:
    scene = Scene()
    (line,) = scene.advance()
    assert (line.tick, line.timestamp) == (0, 0)
    assert {driver[0] for driver in line.drivers} == {"Norris", "Piastri", "Russell", "Hamilton"}


def test_one_lap_is_not_laps() -> None:
    said = set()
    for number in range(20):
        scene = Scene(laps=1, race_id=str(number))
        scene.common |= {"phase": "grid", "lap": 0}
        said |= {line.text for line in scene.advance(40)}
    assert any("1 lap" in text for text in said)
    assert not any("1 laps" in text for text in said)
