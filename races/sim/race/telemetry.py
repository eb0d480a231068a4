"""Coolant temperature of each engine: a first-order heat balance, read by a noisy sensor.

    C dT/dt = heat - h (T - ambient)

heat follows the power asked for along the lap (from the circuit's speed profile: drag and acceleration), h
the air through the radiator: the car's speed, less in the wake of another car. Both are taken as constant
within a tick and solved exactly (an exponential), so that any pace is stable. Whatever slows the car (safety
car, pit lane) asks for less power by itself. An engine switched off has no pump and cools over minutes.

For the engine's owner: one Telemetry a race, `sample` once for every tick from 0 on, skipped ticks too (state
and random numbers move on with each call; 2 to 3 us a car).
"""

from collections.abc import Iterable, Sequence
from math import exp, floor
from random import Random

from races.sim.faults import InjectedFault

# (driver code, laps since the start line with their share: 3.25, negative on the grid,
#  seconds to the next car on the road ahead or None, engine running)
CarOnTrack = tuple[str, float, float | None, bool]

NOMINAL_C = 115.0  # what teams open their louvres for; a lap in clean air then averages about 112
AMBIENT_C = (17.0, 33.0)
CAR_SPREAD = 0.012  # of the cooling between cars: about 1 degree
IDLE_HEAT = 0.3  # share of full heat that an engine gives without load: friction and pumping at its revs
STILL_AIR = 0.35  # cooling of a standing car (fan, radiation) as a share of that at REFERENCE_MS
ENGINE_OFF = 0.06  # the pump stands
GRID_TICK_S = (
    2.4  # the lights take as many ticks at any pace: at pace 60 all engines would boil before the start
)
REFERENCE_MS = 60.0
SECONDS_TO_WARM = 80.0  # C/h at REFERENCE_MS
WAKE_LOSS = 0.07  # of the airspeed, right behind another car: 3 to 4 degrees
WAKE_FULL_S, WAKE_NONE_S = 0.6, 2.2
BLOCKED_IN_CLEAN_AIR = 0.4  # share of a blocked radiator's rise that shows without traffic
MODE_SPREAD, MODE_SECONDS = 0.03, 90.0  # drivers change engine mode: +-3 % of power, every 90 s or so
NOISE_C = 0.25
RESOLUTION = 10  # steps in a degree

MASS_KG, POWER_W, DRAG = 800.0, 750e3, 1.0  # DRAG: N per (m/s)^2, 330 km/h at full power


class LoadProfile:
    """Time and engine load summed along the lap, so that a tick of any length costs two look-ups."""

    def __init__(self, speeds_kmh: Sequence[float], length_m: float) -> None:
        """speeds_kmh: along one flying lap at equal distances, from the line."""
        speeds = [kmh / 3.6 for kmh in speeds_kmh]
        step = length_m / len(speeds)
        self.cells = len(speeds)
        self.times, self.loads = [0.0], [0.0]
        for here, ahead in zip(speeds, [*speeds[1:], speeds[0]], strict=True):
            seconds = 2 * step / (here + ahead)
            self.times.append(self.times[-1] + seconds)
            # share of full power that this stretch asks for; none under braking
            speed = (here + ahead) / 2
            force = MASS_KG * (ahead * ahead - here * here) / (2 * step) + DRAG * speed * speed
            load = min(1.0, max(0.0, force * speed / POWER_W))
            self.loads.append(self.loads[-1] + seconds * load)
        self.lap_s, self.lap_load = self.times[-1], self.loads[-1]

    def at(self, laps: float) -> tuple[float, float]:
        """Profile seconds and load seconds from the start line of lap 0 to here."""
        lap = floor(laps)
        cell = (laps - lap) * self.cells
        i = min(int(cell), self.cells - 1)
        share = cell - i
        times, loads = self.times, self.loads
        return (
            lap * self.lap_s + times[i] + share * (times[i + 1] - times[i]),
            lap * self.lap_load + loads[i] + share * (loads[i + 1] - loads[i]),
        )


class _Engine:
    __slots__ = ("cooling", "fault", "laps", "load_s", "mode", "reading", "temperature", "time_s")

    def __init__(self, cooling: float, temperature: float, fault: InjectedFault | None) -> None:
        self.cooling = cooling
        self.temperature = temperature
        self.fault = fault
        self.mode = 1.0
        self.reading = temperature
        self.laps = self.time_s = self.load_s = 0.0


class Telemetry:
    """Readings of a whole field, tick by tick. The same arguments and calls give the same readings."""

    def __init__(
        self,
        seed: int,
        codes: Sequence[str],
        seconds_per_tick: float,
        speeds_kmh: Sequence[float],
        length_m: float,
        faults: Iterable[InjectedFault] = (),
    ) -> None:
        self._random = Random(f"telemetry {seed}")
        self._seconds = seconds_per_tick
        self._length = length_m
        self._profile = LoadProfile(speeds_kmh, length_m)
        self._ambient = self._random.uniform(*AMBIENT_C)
        # heat at full load such that a lap in clean air averages the temperature that teams aim at
        profile = self._profile
        load = profile.lap_load / profile.lap_s
        air = STILL_AIR + (1 - STILL_AIR) * self._length / profile.lap_s / REFERENCE_MS
        self._full_heat = (NOMINAL_C - self._ambient) * air / (IDLE_HEAT + (1 - IDLE_HEAT) * load)
        by_code = {fault.driver_code: fault for fault in faults}
        self._engines = {}
        for code in codes:
            cooling = max(0.95, self._random.gauss(1.0, CAR_SPREAD))
            start_c = NOMINAL_C - 3.0 + self._random.gauss(0.0, 1.0)
            self._engines[code] = _Engine(cooling, start_c, by_code.get(code))
        # Drawing an index is four times as fast as drawing a Gaussian.
        self._noise = [self._random.gauss(0.0, NOISE_C) for _ in range(4096)]
        self._first = True

    def sample(self, tick: int, cars: Iterable[CarOnTrack]) -> dict[str, float]:
        """Degrees Celsius as each car's sensor reads, for every car given."""
        engines = self._engines
        if self._first:
            for code, laps, _, _ in cars:
                self._place(engines[code], laps)
            self._first = False
        return {code: self._read(tick, engines[code], laps, gap, runs) for code, laps, gap, runs in cars}

    def _place(self, engine: _Engine, laps: float) -> None:
        engine.laps = laps
        engine.time_s, engine.load_s = self._profile.at(laps)

    def _read(self, tick: int, engine: _Engine, laps: float, gap: float | None, running: bool) -> float:
        fault = engine.fault
        if fault is not None and tick < fault.start_tick:
            fault = None
        # 0 in clean air to 1 right behind another car
        wake = 0.0 if gap is None else max(0.0, min(1.0, (WAKE_NONE_S - gap) / (WAKE_NONE_S - WAKE_FULL_S)))
        waits = running and laps <= 0.0 and laps == engine.laps
        target, cooling = self.balance(engine, laps, wake) if running else (self._ambient, ENGINE_OFF)
        if fault is not None and running:
            # degrees that a fault adds to the temperature the engine settles at
            if fault.kind == "leak":
                overheating = fault.size_c * min(
                    1.0, (tick - fault.start_tick + 1) / (fault.end_tick - fault.start_tick + 1)
                )
            elif fault.kind == "blocked_radiator" and tick <= fault.end_tick:
                overheating = fault.size_c * (BLOCKED_IN_CLEAN_AIR + (1 - BLOCKED_IN_CLEAN_AIR) * wake)
            else:
                overheating = 0.0
            target += overheating
        seconds = min(self._seconds, GRID_TICK_S) if waits else self._seconds
        warming = 1.0 - exp(-cooling * seconds / SECONDS_TO_WARM)
        engine.temperature += (target - engine.temperature) * warming
        reading = engine.temperature + self._noise[int(self._random.random() * 4096)]
        if fault is not None and tick <= fault.end_tick:
            if fault.kind == "stuck_sensor":
                return engine.reading
            if fault.kind == "spike":
                reading += fault.size_c
        engine.reading = int(reading * RESOLUTION + 0.5) / RESOLUTION
        return engine.reading

    def balance(self, engine: _Engine, laps: float, wake: float) -> tuple[float, float]:
        """Temperature that this tick's load and air would settle at, and the cooling that leads there."""
        seconds = self._seconds
        if self._random.random() * MODE_SECONDS < seconds:
            engine.mode = 1.0 + MODE_SPREAD * (2 * self._random.random() - 1)
        before_s, before_load, before = engine.time_s, engine.load_s, engine.laps
        self._place(engine, laps)
        # A car that takes twice the profile's time asks for an eighth of its power: drag grows with the square, power
        # with the cube of the speed. One factor stands in the time, which is counted in the profile's.
        pace = (engine.time_s - before_s) / seconds
        load = min(1.0, (engine.load_s - before_load) / seconds * pace * pace * engine.mode)
        air = (laps - before) * self._length / seconds / REFERENCE_MS * (1.0 - WAKE_LOSS * wake)
        cooling = (STILL_AIR + (1 - STILL_AIR) * air) * engine.cooling
        return self._ambient + self._full_heat * (IDLE_HEAT + (1 - IDLE_HEAT) * load) / cooling, cooling
