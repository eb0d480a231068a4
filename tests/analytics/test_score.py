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


def test_an_alarm_while_the_fault_lasts_catches_it_and_tells_the_delay() -> None:
    result = marks(("NOR", 112))
    assert (result.event_recall, result.delay_samples, result.false_alarms) == (1.0, 12.0, ())
    assert result.findings[0].named_right


def test_the_first_of_several_alarms_counts_and_the_others_are_not_false() -> None:
    result = marks(("NOR", 140), ("NOR", 112), ("NOR", 125))
    assert (result.delay_samples, result.false_alarms) == (12.0, ())
    assert [alarm.start_tick for alarm in result.repeats] == [125, 140]


def test_a_small_fault_that_the_flag_or_a_retirement_cuts_off_is_missed_and_not_forgotten() -> None:
    faint = Injected("NOR", "leak", 398, 600, size_c=0.1)
    assert (marks(fault=faint).event_recall, len(marks(fault=faint).findings)) == (0.0, 1)
    assert marks(stopped={"NOR": 101}).event_recall == 0.0


def test_another_car_or_another_time_is_missed_and_false() -> None:
    for alarm in (("PIA", 112), ("NOR", 99), ("NOR", 151 + GRACE_TICKS)):
        result = marks(alarm)
        assert (result.event_recall, result.delay_samples) == (0.0, None)
        assert [(false.driver_code, false.start_tick) for false in result.false_alarms] == [alarm]


def test_heat_that_lingers_after_the_fault_still_answers_it() -> None:
    assert marks(("NOR", 150 + GRACE_TICKS)).caught == 1


def test_a_leak_answers_for_the_rest_of_the_race() -> None:
    assert marks(("NOR", 390), fault=Injected("NOR", "leak", 100, 300)).false_alarms == ()


def test_a_fault_planned_for_a_car_that_has_stopped_is_not_asked_for() -> None:
    assert marks(stopped={"NOR": 90}).event_recall is None
    assert marks(stopped={"NOR": 110}).event_recall == 0.0
    assert marks(("NOR", 120), stopped={"NOR": 90}).false_alarms == ()
    assert marks(fault=Injected("NOR", "spike", 401, 404)).event_recall is None


def test_a_wrong_name_catches_all_the_same_and_is_told() -> None:
    finding = score([RaisedAlarm("NOR", "spike", 112)], [FAULT], {}, 400).findings[0]
    assert finding.delay == 12
    assert not finding.named_right


def test_scores_of_races_add_up() -> None:
    total = marks(("NOR", 112)) + marks(("PIA", 130)) + marks(("NOR", 116))
    assert (total.caught, len(total.findings), len(total.false_alarms)) == (2, 3, 1)
    assert (total.event_recall, total.delay_samples) == (2 / 3, 14.0)
    assert total.of_kind("leak").findings == ()


def test_an_alarm_is_placed_once_however_often_it_changed() -> None:
    alarm = Alarm("race:NOR", "overheating", "warning", "high", 5_000, None, 6.0, 120.0)
    later = Alarm("race:NOR", "overheating", "critical", "high", 5_000, 9_000, 11.0, 126.0)
    assert raised([alarm, later], {5_000: 25}) == [RaisedAlarm("NOR", "overheating", 25)]
