"""Race control: flags, safety car and virtual safety car, and what they allow."""

from races.sim import wording
from races.sim.circuits.lane import CATCH_UP, VIRTUAL, Lane
from races.sim.race import passing, traffic
from races.sim.race.car import RACING, Car
from races.sim.race.field import Field
from races.sim.race.incident_schedule import Trouble
from races.sim.race.safety_car import SafetyCar

UNLAPPING = 1.2  # lap times of the reference, of a lapped car that was let past the safety car
CONSUMPTION = {"safety_car": 0.25, "vsc": 0.5}  # of fuel and tyres
REACTION_S = 7.0  # from the incident to the safety car
YELLOW_S, SPIN_YELLOW_S = 35.0, 14.0  # marshals clear a car; a car that goes on
ENDING_S = 11.0  # from the message to the end of a virtual safety car
MODE_AFTER_LAPS = 1  # overtake mode is off for this long after a restart


class Control:
    def __init__(self) -> None:
        self.flag = "green"
        self.clear_at: dict[
            int, int
        ] = {}  # yellow sectors to the step that clears them, the newest call last
        # That everybody drives in under a virtual or real safety car; 0: as fast as they can.
        self.lap_s = 0.0
        self._safety_car: SafetyCar | None = None
        self._laps_left = 0  # of the safety car, counted at the leader's line
        self._mode_from = passing.MODE_FROM_LAP
        self._leading_lap = 1
        self._calls = 0  # so that an alarm knows whether it still means the present flag

    @property
    def yellow_sector(self) -> int:
        """The one called last, of those that are yellow; 0 for none."""
        return next(reversed(self.clear_at), 0)

    @property
    def neutralised(self) -> bool:
        return self.lap_s > 0.0

    @property
    def consumption(self) -> float:
        return CONSUMPTION.get(self.flag, 1.0)

    def lap_of(self, field: Field, i: int) -> float:
        """The queue behind the safety car slows a car further."""
        if self._safety_car and self._safety_car.waved(i):
            return UNLAPPING * field.track.lap_s
        return self.lap_s

    def lane_for(self, field: Field, car: Car) -> Lane:
        lanes = field.track.lanes
        if self._safety_car:
            return lanes.queue if self._safety_car.queued(field, car) else lanes.catching_up
        return lanes.vsc if self.neutralised else lanes.green

    def mode_allowed(self, field: Field, car: Car) -> bool:
        return self.flag in ("green", "yellow") and car.lap >= self._mode_from

    def passing_allowed(self, field: Field, car: Car, k: int) -> bool:
        """Whether a pass may begin at mark k: not where it would end under yellow."""
        return not self.neutralised and field.track.to_zone_end[k].isdisjoint(self.clear_at)

    def yellow(
        self, field: Field, sector: int, message: str, car: Car, seconds: float = SPIN_YELLOW_S
    ) -> None:
        if self.neutralised or field.winner >= 0:
            return
        until = field.at(seconds, self._sector_clear, field, sector)
        self.clear_at[sector] = max(until, self.clear_at.pop(sector, 0))
        self.flag = "yellow"
        passing.call_off(field, sector)
        field.tell("yellow", f"YELLOW IN SECTOR {sector} - {message}", car)

    def stopped_car(self, field: Field, trouble: Trouble, sector: int, car: Car) -> None:
        self.yellow(field, sector, wording.number(car), car, YELLOW_S)
        if trouble.calls:
            field.at(REACTION_S, self._neutralise, field, trouble)

    def _sector_clear(self, field: Field, sector: int) -> None:
        """Unless a later call keeps it yellow, or another flag has taken the place of all yellows."""
        if self.clear_at.get(sector) == field.step:
            del self.clear_at[sector]
            if not self.clear_at:
                self.flag = "green"
                field.tell("green", "TRACK CLEAR")

    def _neutralise(self, field: Field, trouble: Trouble) -> None:
        leader = field.leader()
        left = field.laps - field.progress[leader] if leader >= 0 else 0.0
        if self.neutralised or field.winner >= 0 or left < (1.0 if trouble.calls == "safety_car" else 0.6):
            return
        self._calls += 1
        self.flag = trouble.calls
        self.clear_at.clear()
        lap = field.track.lap_s
        self._mode_from = field.laps + 1
        if trouble.calls == "vsc":
            self.lap_s = VIRTUAL * lap
            field.book.virtual += 1
            field.tell("vsc", "VIRTUAL SAFETY CAR DEPLOYED")
            field.at(max(25.0, trouble.laps * self.lap_s - ENDING_S), self._ending, field, self._calls)
        else:
            self.lap_s, self._safety_car = CATCH_UP * lap, SafetyCar(field, leader)
            field.at(0.0, self._keep_queue, field, self._safety_car)
            self._laps_left = trouble.laps
            field.book.safety_cars += 1
            field.tell("safety_car", "SAFETY CAR DEPLOYED")
        self._set_rates(field)

    def _ending(self, field: Field, call: int) -> None:
        if call == self._calls and field.winner < 0:
            field.tell("vsc_ending", "VIRTUAL SAFETY CAR ENDING")
            field.at(ENDING_S, self._green, field)

    def _keep_queue(self, field: Field, safety_car: SafetyCar) -> None:
        if safety_car is self._safety_car:
            safety_car.keep(field)
            field.at(0.0, self._keep_queue, field, safety_car)

    def _green(self, field: Field) -> None:
        """After the chequered flag no other is shown; who is still on his way home keeps his pace."""
        if not self.neutralised or field.winner >= 0:
            return
        self.flag, self.lap_s, self._laps_left, self._safety_car = "green", 0.0, 0, None
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
                traffic.drive_anew(field, car)

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
        elif self._laps_left == 2 and self._safety_car:
            self._let_by(field, self._safety_car)
        elif self._laps_left <= 0:
            self._green(field)

    def _let_by(self, field: Field, safety_car: SafetyCar) -> None:
        lapped = safety_car.wave_by(field)
        if lapped:
            field.tell("lapped_cars", "LAPPED CARS MAY NOW OVERTAKE")
        for car in lapped:
            traffic.drive_anew(field, car)

    def chequered(self, field: Field) -> None:
        winner = field.cars[field.winner]
        self.flag = "chequered"
        self.clear_at.clear()
        field.tell("chequered", f"CHEQUERED FLAG - {wording.number(winner)} WINS", winner, position=1)
