"""Tests of overtaking: which car passes which, and where."""

from races.sim.race.passing import odds
from tests.fakes.engine import field_of


def test_passing_is_easy_on_first_laps() -> None:
    field = field_of(1)
    front, rear = field.cars[field.order[4]], field.cars[field.order[5]]
    rear.pace_s = front.pace_s
    chances = []
    for lap in range(6):
        rear.done = lap
        chances.append(odds(field, rear, front))
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 2 * chances[5] and chances[4] == chances[5]
