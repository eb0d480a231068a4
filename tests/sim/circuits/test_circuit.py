"""The circuits against the published figures: names, lengths, turns, directions, speeds."""

from math import pi
from pathlib import Path

import pytest

from races.sim.circuits.circuit import Circuit, circuit_slugs, load_circuit
from races.sim.circuits.track import load_track
from races.sim.race.strategy import STANDING_S
from tests.sim.circuits.published import PUBLISHED, every_circuit


def test_circuits_follow_the_calendar() -> None:
    assert circuit_slugs() == tuple(PUBLISHED)
    assert [load_circuit(slug).round for slug in circuit_slugs()] == [*range(1, 24), None]


def test_an_unknown_circuit_names_the_known() -> None:
    with pytest.raises(KeyError, match=r"no circuit 'imola'; there are melbourne, .*monza"):
        load_circuit("imola")


@every_circuit
def test_the_figures_are_the_official_ones(circuit: Circuit) -> None:
    laps, metres, turns, direction, *_ = PUBLISHED[circuit.slug]
    assert (circuit.laps, circuit.length_m, circuit.turns, circuit.direction) == (
        laps,
        metres,
        turns,
        direction,
    )


@every_circuit
def test_the_corners_are_numbered_in_order(circuit: Circuit) -> None:
    numbers, shares = zip(*circuit.corners, strict=True)
    assert numbers == tuple(range(1, circuit.turns + 1))
    assert list(shares) == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] < 1


@every_circuit
def test_segments_add_up_to_the_length(circuit: Circuit) -> None:
    assert sum(segment.length for segment in circuit.segments) == pytest.approx(circuit.length_m, abs=0.5)


@every_circuit
def test_every_turn_is_an_arc_in_order(circuit: Circuit) -> None:
    numbered = [segment for segment in circuit.segments if segment.turn is not None]
    assert [segment.turn for segment in numbered] == list(range(1, circuit.turns + 1))
    assert all(segment.curvature for segment in numbered)


@every_circuit
def test_a_lap_turns_once_round(circuit: Circuit) -> None:
    round_ = sum(segment.angle for segment in circuit.segments) / (2 * pi)
    figure_of_eight = circuit.slug == "suzuka"
    expected = 0 if figure_of_eight else -1 if circuit.direction == "clockwise" else 1
    assert round_ == pytest.approx(expected, abs=1e-6)


@every_circuit
def test_the_average_is_the_fastest_laps(circuit: Circuit) -> None:
    published = PUBLISHED[circuit.slug][4]
    assert circuit.facts.race_average == published
    if published is None:
        assert {"race.pole_lap_s", "race.race_gap_s"} <= set(circuit.estimated) or circuit.slug == "sakhir"
    else:
        assert circuit.average_kmh == pytest.approx(published, rel=0.03)
    assert circuit.model_lap_s == pytest.approx(circuit.reference_lap_s, rel=0.005)


@every_circuit
def test_the_top_speed_is_the_published_one(circuit: Circuit) -> None:
    published = PUBLISHED[circuit.slug][5]
    assert circuit.facts.top_speed == published
    if published is not None:
        assert circuit.top_speed_kmh == pytest.approx(published, rel=0.03)
    assert 280 < circuit.top_speed_kmh < 365


@every_circuit
def test_estimated_names_are_in_the_file(circuit: Circuit) -> None:
    for name in circuit.estimated:
        owner, _, field = name.rpartition(".")
        assert hasattr(getattr(circuit, owner) if owner else circuit, field), name


@every_circuit
def test_the_lane_at_its_limit_costs_a_stop(circuit: Circuit) -> None:
    pit = circuit.pit
    metres = (1 - pit.entry + pit.exit) * circuit.length_m
    on_track = (1 - circuit.tau(pit.entry) + circuit.tau(pit.exit)) * circuit.model_lap_s
    assert metres / (pit.limit_kmh / 3.6) - on_track == pytest.approx(circuit.race.pit_loss_s, abs=0.2)
    assert pit.side in {"left", "right"}


@every_circuit
def test_losses_are_those_of_a_race(circuit: Circuit) -> None:
    race = circuit.race
    assert 0 < race.pit_loss_sc_s <= race.pit_loss_vsc_s + 3 < race.pit_loss_s + 3
    assert 60 < race.pole_lap_s < race.pole_lap_s + race.race_gap_s < 120
    assert 0.01 < race.fuel_s_per_kg < 0.05
    assert race.overtake_mode_gain_s < 0


def test_the_data_files_name_their_source() -> None:
    files = list(Path("races/sim/circuits/data").glob("*.json"))
    assert len(files) == len(PUBLISHED)
    assert all("bacinger/f1-circuits" in path.read_text(encoding="utf-8") for path in files)


@every_circuit
def test_the_docs_table_is_the_models(circuit: Circuit) -> None:
    lines = Path("docs/circuits.md").read_text(encoding="utf-8").splitlines()
    row = next(line.split(" | ") for line in lines if f"| `{circuit.slug}` |" in line)
    facts = circuit.facts
    assert row[2:5] == [str(circuit.length_m), str(circuit.turns), str(len(circuit.segments))]
    assert row[6:11] == [
        "–" if facts.race_average is None else f"{facts.race_average:.1f}",
        f"{circuit.average_kmh:.1f}",
        "–" if facts.top_speed is None else f"{facts.top_speed:.0f}",
        f"{circuit.top_speed_kmh:.0f}",
        f"{circuit.slowest_kmh:.0f}",
    ]
    lane = load_track(circuit.slug).lanes.green
    driving = (1.0 - lane.entry) / lane.before_line + (lane.exit - 1.0) / lane.after_line
    stop = [f"{circuit.pit.median_s:.1f}", f"{driving + STANDING_S:.1f} |"]
    assert row[13:15] == stop
