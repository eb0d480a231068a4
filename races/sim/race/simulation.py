"""A race, tick by tick: a function of its settings, the data files and the model's version."""

from __future__ import annotations

from races.sim.faults import InjectedFault, schedule
from races.sim.race import motion, output
from races.sim.race.car import FINISHED, RETIRED
from races.sim.race.field import Statistics
from races.sim.race.start import line_up
from races.sim.race.telemetry import Telemetry
from races.sim.records import Classified, Tick
from races.sim.settings import STEP_S, TICK_S, RaceSettings, stream

LIGHTS, TICKS_PER_LIGHT = 5, 5
HOLD_TICKS = (2, 10)  # between the fifth light's second and lights out


class Race:
    """Call `advance` until `over`. The same seed runs the same race at any pace; the pace only says what is shown.

    sensors: whether ticks have temperatures, a third of a tick's work. The race is the same without them.
    """

    def __init__(self, settings: RaceSettings, sensors: bool = True) -> None:
        self.settings, self._sensors_on = settings, sensors
        self._field = line_up(settings)
        self._tick = -1
        self._grid_ticks = LIGHTS * TICKS_PER_LIGHT + stream(settings.seed, "lights").randint(*HOLD_TICKS)
        self._over = False
        self._projection = output.Projection(self._field, settings.pace * STEP_S)
        codes = [car.code for car in self._field.cars]
        faults = (
            schedule(settings.seed, codes, self._grid_ticks, self.expected_ticks()) if settings.faults else ()
        )
        self._faults = tuple(faults)
        circuit, seconds = self._field.track.circuit, settings.pace * STEP_S
        speeds = [circuit.speed_kmh(circuit.tau(n / 640), circuit.model_lap_s) for n in range(640)]
        self._telemetry = Telemetry(settings.seed, codes, seconds, speeds, circuit.length_m, self._faults)

    @property
    def over(self) -> bool:
        return self._over

    def expected_ticks(self) -> int:
        """An estimate of how many ticks the race will have."""
        field = self._field
        seconds = field.laps * (field.track.lap_s + 2.5 * field.scale) + 45.0
        return self._grid_ticks + round(seconds / STEP_S / self.settings.pace)

    @property
    def statistics(self) -> Statistics:
        """What is counted of the race so far and never published."""
        return self._field.statistics

    def injected_faults(self) -> tuple[InjectedFault, ...]:
        return self._faults

    def advance(self) -> Tick:
        """Return the next tick; RuntimeError where the race is over."""
        self._move()
        field, projection = self._field, self._projection
        events, field.events = tuple(field.events), []
        waiting = self._tick < self._grid_ticks
        if self._tick < self._grid_ticks:
            phase = "grid"
        elif self._over:
            phase = "over"
        else:
            phase = "race" if self._field.winner < 0 else "flag"
        return Tick(
            tick=self._tick,
            phase=phase,
            lights=min(LIGHTS, 1 + self._tick // TICKS_PER_LIGHT) if waiting else 0,
            flag=field.flags.flag,
            yellow_sector=field.flags.yellow_sector,
            race_time_s=(self._tick - self._grid_ticks) * TICK_S if waiting else field.time_s,
            cars=projection.cars(),
            events=events,
            temperatures=self._temperatures(),
        )

    def skip_to(self, tick: int) -> None:
        """Run silently, so that `advance` returns the tick after this one; never goes back, nor beyond the end."""
        while self._tick < tick and not self._over:
            self._move()
            self._field.events.clear()
            self._temperatures()

    def _temperatures(self) -> dict[str, float]:
        return self._telemetry.sample(self._tick, self._projection.on_the_road()) if self._sensors_on else {}

    def _move(self) -> None:
        if self._over:
            raise RuntimeError("the race is over")
        self._tick += 1
        field = self._field
        if self._tick == self._grid_ticks:
            field.tell("lights_out", "LIGHTS OUT AND AWAY WE GO")
        if self._tick > self._grid_ticks:
            for _ in range(self.settings.pace):
                motion.step(field)
            self._over = all(car.state in (RETIRED, FINISHED) for car in field.cars)
        self._projection.update()

    def classification(self) -> tuple[Classified, ...]:
        """The classification as it stands now."""
        return output.classification(self._field)
