"""A race is resumed by running it again, so the same version of the model must give the same race for ever."""

from hashlib import sha256

from races.sim import MODEL_VERSION, Race, RaceSettings, Tick

# One line: the version of the model and the digest of its race below.
PINNED = ("7-2d2c1173", "242d086473d6d967")
ADVICE = """
Races have changed. If only data files did (the part after the dash), put the new pair into PINNED. If code did,
first raise _RULES in races/sim/season.py: a race that an older version began would otherwise go on as another one.
The pair is now: {}"""


def shown(tick: Tick) -> str:
    """Rounded, so that no mathematics library's last digit makes another race of it."""
    cars = [
        (car.driver_code, round(car.lap + car.lap_fraction, 4), car.tyre, car.status) for car in tick.cars
    ]
    return repr((tick.flag, tick.yellow_sector, cars, tick.events, tick.temperatures))


def digest(flags: set[str]) -> str:
    """The digest of all that two short races show, sensors included. Adds the flags that they had."""
    found = sha256()
    for circuit, seed in (("spielberg", 3), ("monza", 28)):
        race = Race(RaceSettings(circuit, 12, 20, seed))
        while not race.over:
            tick = race.advance()
            flags.add(tick.flag)
            found.update(shown(tick).encode())
        found.update(repr([(line.driver_code, line.race_time_s) for line in race.classification()]).encode())
    return found.hexdigest()[:16]


def test_a_version_gives_the_same_race() -> None:
    flags: set[str] = set()
    pair = (MODEL_VERSION, digest(flags))
    assert flags == {"green", "yellow", "vsc", "safety_car", "chequered"}
    assert pair == PINNED, ADVICE.format(pair)
