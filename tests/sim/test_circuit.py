"""The circuits against the published figures: names, lengths, turns, directions, speeds."""

from math import pi
from pathlib import Path

import pytest

from races.sim.circuits.circuit import Circuit, circuit_slugs, load_circuit
from races.sim.circuits.track import load_track
from races.sim.race.strategy import STANDING_S

CW, ACW = "clockwise", "anticlockwise"
# laps, metres, turns, direction, average of the fastest race lap and top speed where published
PUBLISHED: dict[str, tuple[int, int, int, str, float | None, float | None]] = {
    "melbourne": (58, 5278, 14, CW, 231.5, 312),
    "shanghai": (56, 5451, 16, CW, 206.0, 328),
    "suzuka": (53, 5807, 18, CW, 226.2, 309),
    "miami": (57, 5412, 19, ACW, 212.1, None),
    "montreal": (70, 4361, 14, CW, 211.6, 330),
    "monaco": (78, 3337, 19, CW, 163.5, 288),
    "catalunya": (66, 4657, 14, CW, 209.2, 333),
    "spielberg": (71, 4326, 10, CW, 221.3, 314),
    "silverstone": (52, 5891, 18, CW, 231.1, 331),
    "spa": (44, 7004, 19, CW, 231.6, 318),
    "hungaroring": (70, 4381, 14, CW, 192.3, 312),
    "zandvoort": (72, 4259, 14, CW, 212.2, None),
    "monza": (53, 5793, 11, CW, 257.8, 346),
    "madring": (57, 5416, 22, CW, None, None),
    "baku": (51, 6003, 20, ACW, 209.0, 325),
    "sepang": (56, 5543, 15, CW, None, None),
    "singapore": (62, 4927, 19, ACW, 189.1, 302),
    "austin": (56, 5513, 20, ACW, 203.4, 324),
    "mexico": (71, 4304, 17, CW, 193.6, 354),
    "interlagos": (71, 4309, 15, ACW, 214.3, 329),
    "las-vegas": (50, 6201, 17, ACW, 239.1, None),
    "lusail": (57, 5419, 16, CW, 235.1, None),
    "yas-marina": (58, 5281, 16, ACW, 219.2, 331),
    "sakhir": (57, 5412, 15, CW, None, 330),
}

every_circuit = pytest.mark.parametrize(
    "circuit", [load_circuit(slug) for slug in PUBLISHED], ids=list(PUBLISHED)
)


def test_the_circuits_come_in_the_order_of_the_calendar() -> None:
    assert circuit_slugs() == tuple(PUBLISHED)
    assert [load_circuit(slug).round for slug in circuit_slugs()] == [*range(1, 24), None]


def test_an_unknown_circuit_is_answered_with_the_known_ones() -> None:
    with pytest.raises(KeyError, match=r"no circuit 'imola'; there are melbourne, .*monza"):
        load_circuit("imola")


@every_circuit
def test_length_laps_turns_and_direction_are_the_official_ones(circuit: Circuit) -> None:
    laps, metres, turns, direction, *_ = PUBLISHED[circuit.slug]
    assert (circuit.laps, circuit.length_m, circuit.turns, circuit.direction) == (
        laps,
        metres,
        turns,
        direction,
    )


@every_circuit
def test_straights_and_arcs_add_up_to_the_official_length_to_the_metre(circuit: Circuit) -> None:
    assert sum(segment.length for segment in circuit.segments) == pytest.approx(circuit.length_m, abs=0.5)


@every_circuit
def test_every_turn_is_an_arc_and_they_come_in_order(circuit: Circuit) -> None:
    numbered = [segment for segment in circuit.segments if segment.turn is not None]
    assert [segment.turn for segment in numbered] == list(range(1, circuit.turns + 1))
    assert all(segment.curvature for segment in numbered)


@every_circuit
def test_a_lap_turns_once_round_in_its_direction(circuit: Circuit) -> None:
    round_ = sum(segment.angle for segment in circuit.segments) / (2 * pi)
    figure_of_eight = circuit.slug == "suzuka"
    expected = 0 if figure_of_eight else -1 if circuit.direction == CW else 1
    assert round_ == pytest.approx(expected, abs=1e-6)


@every_circuit
def test_the_average_is_that_of_the_fastest_race_lap(circuit: Circuit) -> None:
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
def test_estimated_names_are_figures_of_the_file(circuit: Circuit) -> None:
    for name in circuit.estimated:
        owner, _, field = name.rpartition(".")
        assert hasattr(getattr(circuit, owner) if owner else circuit, field), name


@every_circuit
def test_a_car_at_the_limit_of_the_lane_loses_what_a_stop_costs(circuit: Circuit) -> None:
    pit = circuit.pit
    metres = (1 - pit.entry + pit.exit) * circuit.length_m
    on_track = (1 - circuit.tau(pit.entry) + circuit.tau(pit.exit)) * circuit.model_lap_s
    assert metres / (pit.limit_kmh / 3.6) - on_track == pytest.approx(circuit.race.pit_loss_s, abs=0.2)
    assert pit.side in {"left", "right"}


@every_circuit
def test_losses_and_gains_are_those_of_a_race(circuit: Circuit) -> None:
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
def test_the_table_in_the_docs_is_what_the_model_gives(circuit: Circuit) -> None:
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
