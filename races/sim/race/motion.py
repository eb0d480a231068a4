"""One step of 0.2 s: every car moves, nobody drives through anybody, and the order follows.

Each car advances by its rate. It closes up to the car ahead no nearer than its hold and, where it is nearer
already (out of the pits, just passed), drops back slowly instead of jumping. Cars change places only with the car
next to them, when the gap between the two goes through zero.
"""

from races.sim.race import passing, pits, race_control, timing_points
from races.sim.race.car import FINISHED, LANE, RACING, RETIRED
from races.sim.race.field import NOWHERE, Field
from races.sim.race.traffic import DROP_BACK
from races.sim.settings import STEP_S


def step(field: Field) -> None:
    alarms = field.alarms.pop(field.step, None)
    if alarms:
        for act, arguments in alarms:
            act(*arguments)
    progress, rate, due, hold, solid = field.progress, field.rate, field.due, field.hold, field.solid
    ahead = previous = NOWHERE
    moved = 0.0  # by the car ahead, in this step
    for i in field.order:
        here = progress[i]
        there = here + rate[i]
        limit = ahead - hold[i]
        if there > limit:
            there = min(there, max(limit, here + DROP_BACK * moved))
        if there >= due[i]:
            there = _cross(field, i, here, there)
        progress[i] = there
        if there > previous:
            field.moved = True
        previous = there
        if solid[i]:
            ahead = there
            moved = there - here
    field.step += 1
    if field.moved:
        reorder(field)
        if field.home:
            race_control.announce_finishers(field)


def _cross(field: Field, i: int, here: float, there: float) -> float:
    """Pass every timing point from here to there, each at its own instant; return where the step ends for the car."""
    car = field.cars[i]
    while there >= field.due[i]:
        at = field.due[i]
        when = (field.step + (at - here) / (there - here)) * STEP_S
        act = timing_points.reach if car.state == RACING else pits.reach
        if act(field, car, at, when):
            return at
        if car.state == LANE:  # brakes to the limit at once, not at the end of the step
            there = at + field.rate[i] * (field.step + 1 - when / STEP_S)
    return there


def _leads(field: Field, i: int, j: int) -> bool:
    """Whether car i is in front of car j.

    Two cars that took the flag on the same lap go by their time at the line. A car that does not run at the flag is
    behind all that do.
    """
    if field.winner >= 0:
        out, other_out = field.cars[i].state == RETIRED, field.cars[j].state == RETIRED
        if out != other_out:
            return other_out
    a, b = field.progress[i], field.progress[j]
    if a == b and field.cars[i].state == field.cars[j].state == FINISHED:
        return field.cars[i].line_ms < field.cars[j].line_ms
    return a > b


def reorder(field: Field) -> None:
    order, place = field.order, field.place
    field.moved = False
    for start in range(1, len(order)):
        n = start
        while n and _leads(field, order[n], order[n - 1]):
            i, j = order[n], order[n - 1]
            order[n - 1], order[n] = i, j
            place[i], place[j] = n - 1, n
            passing.swapped(field, i, j)
            n -= 1
