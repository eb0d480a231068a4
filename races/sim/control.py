"""Race control: flags, safety car and virtual safety car, and what they allow."""

from races.sim import passing, traffic, wording
from races.sim.car import RACING, Car
from races.sim.field import Field
from races.sim.troubles import Trouble

VIRTUAL, CATCH_UP, SAFETY_CAR = 1.4, 1.4, 1.6  # lap times, of the reference
CONSUMPTION = {"safety_car": 0.25, "vsc": 0.5}  # of fuel and tyres
REACTION_S = 7.0  # from the incident to the safety car
YELLOW_S, SPIN_YELLOW_S = 35.0, 14.0  # marshals clear a car; a car that goes on
ENDING_S = 11.0  # from the message to the end of a virtual safety car
MODE_AFTER_LAPS = 1  # overtake mode is off for this long after a restart


class Control:
    def __init__(self) -> None:
        self.flag = "green"
        self.yellow_sector = 0
        self.lap_s = (
            0.0  # that everybody drives in under a virtual or real safety car; 0: as fast as they can
        )
        self._queue_lap_s = 0.0
        self._laps_left = 0  # of the safety car, counted at the leader's line
        self._mode_from = passing.MODE_FROM_LAP
        self._leading_lap = 1
        self._calls = 0  # so that an alarm knows whether it still means the present flag

    @property
    def neutralised(self) -> bool:
        return self.lap_s > 0.0

    @property
    def consumption(self) -> float:
        return CONSUMPTION.get(self.flag, 1.0)

    def lap_of(self, field: Field, i: int) -> float:
        if self.flag == "safety_car" and field.leader() == i:
            return self._queue_lap_s
        return self.lap_s

    def mode_allowed(self, field: Field, car: Car) -> bool:
        return self.flag in ("green", "yellow") and car.lap >= self._mode_from

    def passing_allowed(self, field: Field, car: Car, k: int) -> bool:
        return not self.neutralised and self.yellow_sector != field.track.sector[k]

    def yellow(
        self, field: Field, sector: int, message: str, car: Car, seconds: float = SPIN_YELLOW_S
    ) -> None:
        if self.flag != "green" or field.winner >= 0:
            return
        self.flag, self.yellow_sector = "yellow", sector
        self._calls += 1
        field.tell("yellow", f"YELLOW IN SECTOR {sector} - {message}", car)
        field.at(seconds, self._all_clear, field, self._calls)

    def stopped_car(self, field: Field, trouble: Trouble, sector: int, car: Car) -> None:
        self.yellow(field, sector, wording.number(car), car, YELLOW_S)
        if trouble.calls:
            field.at(REACTION_S, self._neutralise, field, trouble)

    def _all_clear(self, field: Field, call: int) -> None:
        if call == self._calls and field.winner < 0:
            self.flag, self.yellow_sector = "green", 0
            field.tell("green", "TRACK CLEAR")

    def _neutralise(self, field: Field, trouble: Trouble) -> None:
        leader = field.leader()
        left = field.laps - field.progress[leader] if leader >= 0 else 0.0
        if self.neutralised or field.winner >= 0 or left < (1.0 if trouble.calls == "safety_car" else 0.6):
            return
        self._calls += 1
        self.flag, self.yellow_sector = trouble.calls, 0
        lap = field.track.lap_s
        self._mode_from = field.laps + 1
        if trouble.calls == "vsc":
            self.lap_s = VIRTUAL * lap
            field.book.virtual += 1
            field.tell("vsc", "VIRTUAL SAFETY CAR DEPLOYED")
            field.at(max(25.0, trouble.laps * self.lap_s - ENDING_S), self._ending, field, self._calls)
        else:
            self.lap_s, self._queue_lap_s = CATCH_UP * lap, SAFETY_CAR * lap
            self._laps_left = trouble.laps
            field.book.safety_cars += 1
            field.tell("safety_car", "SAFETY CAR DEPLOYED")
        self._set_rates(field)

    def _ending(self, field: Field, call: int) -> None:
        if call == self._calls and field.winner < 0:
            field.tell("vsc_ending", "VIRTUAL SAFETY CAR ENDING")
            field.at(ENDING_S, self._green, field)

    def _green(self, field: Field) -> None:
        if not self.neutralised:
            return
        self.flag, self.lap_s, self._laps_left = "green", 0.0, 0
        self._calls += 1
        self._mode_from = field.leading_lap() + MODE_AFTER_LAPS
        field.tell("green", "GREEN FLAG - TRACK CLEAR")
        self._set_rates(field)

    def _set_rates(self, field: Field) -> None:
        """A flag holds for every car at once, wherever it is between two marks."""
        for car in field.cars:
            if car.state == RACING:
                passing.give_up(field, car)
                car.mode = False
                k = (car.mark or len(field.track.marks)) - 1
                traffic.drive(field, car, k, field.progress[car.index], field.time_s)

    def lap_begins(self, field: Field, car: Car) -> None:
        """Called as each car completes a lap, with its next lap begun."""
        if car.done == 1:
            passing.opening_lap(field, car)
        if car.lap <= self._leading_lap:
            return
        self._leading_lap = car.lap
        if car.lap == field.laps > 1:
            field.tell("last_lap", "LAST LAP", car, position=1)
        if self.flag == "safety_car":
            self._count_down(field)

    def _count_down(self, field: Field) -> None:
        self._laps_left -= 1
        if self._laps_left == 1:
            field.tell("safety_car_ending", "SAFETY CAR IN THIS LAP")
        elif self._laps_left <= 0:
            self._green(field)

    def chequered(self, field: Field) -> None:
        winner = field.cars[field.winner]
        self.flag, self.yellow_sector = "chequered", 0
        field.tell("chequered", f"CHEQUERED FLAG - {wording.number(winner)} WINS", winner, position=1)
