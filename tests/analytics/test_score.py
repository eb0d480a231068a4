from dataclasses import dataclass

from races.analytics.alarms import Alarm
from races.analytics.score import GRACE_TICKS, RaisedAlarm, Score, raised, score


@dataclass(frozen=True)
class Injected:
    driver_code: str
    kind: str
    start_tick: int
    end_tick: int
    size_c: float = 8.0


FAULT = Injected("NOR", "blocked_radiator", 100, 150)


def marks(*alarms: tuple[str, int], fault: Injected = FAULT, stopped: dict[str, int] | None = None) -> Score:
    placed = [RaisedAlarm(code, "overheating", tick) for code, tick in alarms]
    return score(placed, [fault], stopped or {}, 400)


def test_alarm_catches_with_its_delay() -> None:
    result = marks(("NOR", 112))
    assert (result.event_recall, result.delay_samples, result.false_alarms) == (1.0, 12.0, ())
    assert result.findings[0].named_right


def test_repeated_alarms_are_not_false() -> None:
    result = marks(("NOR", 140), ("NOR", 112), ("NOR", 125))
    assert (result.delay_samples, result.false_alarms) == (12.0, ())
    assert [alarm.start_tick for alarm in result.repeats] == [125, 140]


def test_cut_off_fault_counts_as_missed() -> None:
    faint = Injected("NOR", "leak", 398, 600, size_c=0.1)
    assert (marks(fault=faint).event_recall, len(marks(fault=faint).findings)) == (0.0, 1)
    assert marks(stopped={"NOR": 101}).event_recall == 0.0


def test_wrong_car_or_time_is_false() -> None:
    for alarm in (("PIA", 112), ("NOR", 99), ("NOR", 151 + GRACE_TICKS)):
        result = marks(alarm)
        assert (result.event_recall, result.delay_samples) == (0.0, None)
        assert [(false.driver_code, false.start_tick) for false in result.false_alarms] == [alarm]


def test_lingering_heat_still_catches() -> None:
    assert marks(("NOR", 150 + GRACE_TICKS)).caught == 1


def test_leak_lasts_to_the_end() -> None:
    assert marks(("NOR", 390), fault=Injected("NOR", "leak", 100, 300)).false_alarms == ()


def test_fault_of_stopped_car_is_not_asked() -> None:
    assert marks(stopped={"NOR": 90}).event_recall is None
    assert marks(stopped={"NOR": 110}).event_recall == 0.0
    assert marks(("NOR", 120), stopped={"NOR": 90}).false_alarms == ()
    assert marks(fault=Injected("NOR", "spike", 401, 404)).event_recall is None


def test_wrong_name_catches_too() -> None:
    finding = score([RaisedAlarm("NOR", "spike", 112)], [FAULT], {}, 400).findings[0]
    assert finding.delay == 12
    assert not finding.named_right


def test_scores_of_races_add_up() -> None:
    total = marks(("NOR", 112)) + marks(("PIA", 130)) + marks(("NOR", 116))
    assert (total.caught, len(total.findings), len(total.false_alarms)) == (2, 3, 1)
    assert (total.event_recall, total.delay_samples) == (2 / 3, 14.0)
    assert total.of_kind("leak").findings == ()


def test_changed_alarm_is_placed_once() -> None:
    alarm = Alarm("race:NOR", "overheating", "warning", "high", 5_000, None, 6.0, 120.0)
    later = Alarm("race:NOR", "overheating", "critical", "high", 5_000, 9_000, 11.0, 126.0)
    assert raised([alarm, later], {5_000: 25}) == [RaisedAlarm("NOR", "overheating", 25)]
