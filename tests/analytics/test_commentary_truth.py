"""Each line of commentary is held against the streams: facts, names, numbers, rhythm, no sentence twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, groupby, pairwise

import pytest

from races.analytics.alarms import AlarmRule
from races.analytics.anomaly import AnomalyDetector
from races.analytics.commentary.cars import ALARMS
from races.analytics.commentary.commentator import NEWS, NEWS_AGAIN, PAUSE, STALE, Line
from races.analytics.commentary.words import LONGEST
from races.analytics.engine import RaceAnalytics
from races.sim import circuit_slugs
from races.worker.records import KeyedRecord
from tests.analytics.oracle import Oracle, known_numbers, spoken_names, spoken_numbers
from tests.analytics.simulated import derived_from, lines_of, race_records

SOME = [
    ("monza", 1, 12, 12),
    ("monaco", 3, 12, 12),
    ("silverstone", 9, 12, 12),
    ("spa", 2, 4, 6),
    ("suzuka", 5, 15, 60),
]


def ticks_of(
    records: tuple[KeyedRecord, ...],
) -> list[tuple[list[dict[str, object]], list[dict[str, object]]]]:
    ticks = []
    for _, group in groupby(records, key=lambda record: record.value["tick"]):
        by_role: dict[str, list[dict[str, object]]] = {"race_control": [], "positions": [], "car_metrics": []}
        for record in group:
            by_role[record.role].append(record.value)
        ticks.append((by_role["race_control"], by_role["positions"]))
    return ticks


def alarms_of(records: tuple[KeyedRecord, ...]) -> dict[int, set[tuple[str, str, int]]]:
    """The alarms that the board would raise, by the instant of the reading that raised them."""
    detector, rule = AnomalyDetector(), AlarmRule()
    raised: dict[int, set[tuple[str, str, int]]] = defaultdict(set)
    for record in records:
        found = detector.feed(record.key, record.value) if record.role == "car_metrics" else None
        for alarm in rule.feed(record.key, record.value["timestamp"], found) if found else []:
            code = alarm.key.rpartition(":")[2]
            raised[record.value["tick"]].add((code, alarm.kind, round(alarm.size_c or 0.0)))
    return raised


def untrue(records: tuple[KeyedRecord, ...], lines: Sequence[Line]) -> list[str]:
    """What the records contradict, in words."""
    oracle, by_tick = Oracle(), {line.tick: line for line in lines}
    codes: dict[str, str] = {}
    wrong = []
    alarms = alarms_of(records)
    for number, (events, cars) in enumerate(ticks_of(records)):
        oracle.tick(events, cars)
        oracle.alarms |= alarms.get(number, set())
        line = by_tick.get(number)
        if line is None:
            continue
        codes = codes or {str(car["driver_name"]).split()[-1]: str(car["driver_code"]) for car in cars}
        wrong += [f"{line.tick} {line.text!r}: {fact}" for fact in line.facts if not oracle.holds(fact)]
        about = {code for fact in line.facts for code in fact.who}
        named = {codes[name] for name in spoken_names(line)}
        wrong += [f"{line.tick} {line.text!r}: drivers {line.codes}"] if set(line.codes) != named else []
        wrong += [
            f"{line.tick} {line.text!r}: {name}?" for name in spoken_names(line) if codes[name] not in about
        ]
        wrong += [f"{line.tick} {line.text!r}: {n}?" for n in spoken_numbers(line) - known_numbers(line)]
    return wrong


def check(circuit: str, seed: int, laps: int, pace: int) -> Sequence[Line]:
    records, lines = race_records(circuit, seed, laps, pace), lines_of(circuit, seed, laps, pace)
    assert contradictions(lines) == []
    assert untrue(records, lines) == []
    texts = [line.text for line in lines]
    assert len(set(texts)) == len(texts)
    assert all(len(text) <= LONGEST for text in texts)
    last = records[-1].value["tick"]
    assert all(later.tick - line.tick >= PAUSE for line, later in pairwise(lines) if later.tick != last)
    return lines


def contradictions(lines: Sequence[Line]) -> list[str]:
    """Lines that say again, within twenty seconds, what was said of the same drivers, or that the order has refuted."""
    wrong, said = [], dict[tuple[str, ...], int]()
    for line in lines:
        news = "lead" if line.kind == "inherited_lead" else NEWS.get(line.kind)
        who = line.codes if news not in ("stop", None) else line.codes[:1]
        if news == "fastest":  # whoever had it before is named, too
            who = next(fact.who for fact in line.facts if fact.claim == "fastest")
        if news == "lead":  # the lead may come back, which is new
            led = {code for fact in line.facts if fact.claim == "led_before" for code in fact.who}
            who = tuple(f"{code} led" if code in led else code for code in line.codes)
        if news and line.tick - said.get((news, *sorted(who)), -1000) < NEWS_AGAIN:
            wrong.append(f"{line.tick} {line.text!r} again")
        if news:
            said[(news, *sorted(who))] = line.tick
    leads = [(line, later) for line, later in combinations(lines, 2) if line.kind == "inherited_lead"]
    return wrong + [
        f"{later.text!r} after {line.text!r}"
        for line, later in leads
        if later.kind == "pit_in_lead"
        and later.tick - line.tick < 100
        and {code for fact in line.facts if fact.claim == "led_before" for code in fact.who}
        & set(later.codes)
    ]


@pytest.mark.parametrize(("circuit", "seed", "laps", "pace"), SOME)
def test_lines_are_true_new_and_unhurried(circuit: str, seed: int, laps: int, pace: int) -> None:
    assert check(circuit, seed, laps, pace)


def test_lines_on_alarms_are_true() -> None:
    """With engine readings: each alarm that is a warning is told of a car that races, and nothing else is."""
    records = race_records("monza", 1, 12, 12, metrics=True)
    engine = RaceAnalytics(records[0].value["race_id"], anomaly=True, alarms=True)
    lines = [derived.line for derived in derived_from(engine, records) if derived.line]
    assert untrue(records, lines) == []
    assert {line.kind for line in lines} & set(ALARMS.values())


@pytest.mark.full
def test_everybody_is_named() -> None:
    """Over all circuits: hardly anybody is never named, and the first three are in every third line."""
    never, fronts = [], []
    for seed, circuit in enumerate(circuit_slugs()):
        records, lines = race_records(circuit, seed, 10), lines_of(circuit, seed, 10)
        named = {code for line in lines for code in line.codes}
        places = {
            (r.value["tick"], r.value["driver_code"]): r.value["position"]
            for r in records
            if r.role == "positions"
        }
        never += [code not in named for (tick, code) in places if tick == 0]
        fronts += [any(places[line.tick, code] <= 3 for code in line.codes) for line in lines]
    assert sum(never) / len(never) < 0.1
    assert sum(fronts) / len(fronts) > 0.33


@pytest.mark.full
@pytest.mark.parametrize("circuit", circuit_slugs())
def test_lines_are_true_on_any_circuit(circuit: str) -> None:
    for seed in range(100, 110):
        assert check(circuit, seed, 12, 12)


def test_a_line_every_two_to_four_seconds() -> None:
    ticks = [line.tick for line in lines_of("monza", 1)]
    pauses = [later - tick for tick, later in pairwise(ticks)]
    assert 10 <= sum(pauses) / len(pauses) <= 20
    assert max(pauses) <= 25
    assert sum(10 <= pause <= 20 for pause in pauses) >= 0.9 * len(pauses)


BIG_KINDS = {"lights_out", "safety_car", "chequered"}


@pytest.mark.parametrize(("circuit", "seed", "laps", "pace"), SOME)
def test_big_moments_within_three_seconds(circuit: str, seed: int, laps: int, pace: int) -> None:
    records, lines = race_records(circuit, seed, laps, pace), lines_of(circuit, seed, laps, pace)
    told = {line.kind: line.tick for line in reversed(lines)}
    for record in records:
        if record.role == "race_control" and record.value["type"] in BIG_KINDS:
            when = record.value["tick"]
            before = max((line.tick for line in lines if line.tick < when), default=-PAUSE)
            assert any(
                line.kind == record.value["type"]
                and when <= line.tick <= max(when, before + PAUSE) <= when + STALE
                for line in lines
            ), (record.value, told)


def test_race_has_beginning_and_end() -> None:
    kinds = [line.kind for line in lines_of("monza", 1)]
    assert kinds[0] == "grid"
    assert "lights_out" in kinds[:4]
    assert kinds[-2:] == ["chequered", "podium"] or "podium" in kinds[-4:]
