"""The built-in commentator: a fold over positions and race control that now and then says a line.

It speaks as people can follow: never twice within two seconds, a big moment at once when it has been quiet
for two, a smaller one in its turn, and nothing that is older than three seconds or no longer true. When
little happens it tells a story: a battle that builds, a climb through the field, the gap at the front.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from races.analytics.alarms import Alarm
from races.analytics.commentary.cars import ABOUT_CARS
from races.analytics.commentary.facts import driver_names, laps, named_in, team_names
from races.analytics.commentary.flags import ABOUT_FLAGS
from races.analytics.commentary.moments import (
    BIG,
    LAST_CHANCE,
    MIDDLING,
    Moment,
    alarm_raised,
    announced,
    observed,
)
from races.analytics.commentary.race_state import Race, Record
from races.analytics.commentary.stories import stories
from races.analytics.commentary.words import Candidate, Fact, Phrasebook

# In ticks of 200 ms of wall time.
PAUSE = 10  # between any two lines
PAUSE_AT_END = 4  # on the race's last tick, which names the podium
PAUSE_BEFORE_SMALL = 12  # before a moment that is not big
QUIET = 14  # after which a story gets its line, or a moment that few would miss
STALE = 15  # a moment without a line by then is dropped
PATIENCE = 25  # complete ticks that wait for race control that is announced but doesn't come
HUSH = 11  # before the chequered flag no other line is begun
SHOUT = 90  # weight of a moment that cannot wait even then
STORY_AGAIN = 100  # before the same story of the same drivers comes again, and a lap at least
KIND_TIRES = 75  # a kind of story is worth less while the last one is younger; or half a lap
LONG_SILENCE = 19  # after which a story may come again within the lap
TIRED = 25  # how much less, right after it
DULL = 15  # a story of less interest is not worth breaking the silence

SAME_KIND = {"long_battle": "battle"}
NEWS = {
    "battle": "pair", "long_battle": "pair", "catch": "pair", "escape": "pair", "gap_front": "pair",
    "podium_chase": "pair", "last_point": "pair", "team_pair": "pair", "running": "place", "climb": "gain",
    "opening_lap": "gain", "climb_home": "gain", "fall": "gain", "unstopped": "stops", "only_unstopped": "stops",
    "to_stop": "stops to come", "field_to_stop": "stops to come", "fastest_lap": "fastest",
    "fastest_so_far": "fastest", "fastest_home": "fastest", "slow_lap": "pace", "tyres_gone": "tyres",
    "pit_in": "stop", "pit_in_lead": "stop", "inherited_lead": "stop",
}  # fmt: skip
"""What a kind of line is news of. The same news of the same drivers does not come twice within NEWS_AGAIN."""
NEWS_AGAIN = 100
REPHRASED = 300  # ticks for which a story's phrase rests
NO_TIRING = {"running"}  # each is about another car
UNNAMED, UNNAMED_LATE = (
    4,
    36,
)  # how much more a story of one who has not been named weighs: on lap 2, at the end
LONG_UNNAMED, LONG_AGO = 6, 200  # and one who has not been for so many ticks
FRONT_WAITS, FRONT_MORE = (
    50,
    22,
)  # ticks without a word on the first three, and how much more theirs weigh then


_ABOUT = ABOUT_CARS | ABOUT_FLAGS


def describe(moment: Moment, race: Race) -> Candidate | None:
    """What to say of it now; None when the board would contradict."""
    candidate = _ABOUT[moment.kind](moment, race)
    if candidate:
        laps(candidate, race)
        if moment.message.get("lap", race.lap) != race.lap:
            candidate.slots.pop("lap", None)  # it happened on the lap before
    return candidate


Called = tuple[tuple[str, ...], ...]
"""The names of each driver or team: surname, first name, code."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of commentary, with the facts that it claims about the race at its tick."""

    text: str
    type: str
    tick: int
    timestamp: int
    kind: str
    facts: tuple[Fact, ...]
    drivers: Called = ()  # of the whole field: surname, first name, code
    teams: Called = ()
    codes: tuple[str, ...] = ()  # of the drivers whom the text names, in its order


class Commentator:
    """One race's commentator. What it says depends on the race's id and records only."""

    def __init__(self, race_id: str, alarms: bool = False) -> None:
        """alarms: a tick is complete only when `reading` has been called for every car, too."""
        self._hears_alarms = alarms
        self._readings: dict[int, int] = {}
        self._alarms: list[tuple[int, Alarm]] = []
        self._race = Race()
        self._book = Phrasebook(race_id)
        self._coming: dict[int, dict[str, Record]] = {}
        self._complete_tick = -1
        self._complete: deque[tuple[int, dict[str, Record]]] = deque()
        self._unheard: list[Record] = []
        self._waiting: list[Moment] = []
        self._heard: set[tuple[int, int]] = set()
        self._alarmed: set[tuple[str, str, int]] = set()
        self._last_line = -QUIET
        self._drivers: Called = ()
        self._teams: Called = ()
        self._last_said: dict[tuple[str, tuple[str, ...]], int] = {}
        self._news: dict[tuple[str, ...], int] = {}
        self._named: dict[str, int] = {}  # code -> tick at which the driver was last named

    @property
    def waits(self) -> bool:
        """Whether a complete tick waits for its race control."""
        return bool(self._complete)

    def race_control(self, message: Record) -> list[Line]:
        """Lines that had been waiting for this message of their tick."""
        event = message["tick"], message["event"]
        if event in self._heard:
            return []
        if event[1] >= 0:
            self._heard.add(event)
        self._unheard.append(message)
        return self._proceed()

    def position(self, record: Record) -> list[Line]:
        """A line, when this record completes a tick at which there is something to say."""
        tick = record["tick"]
        if tick <= self._complete_tick:
            return []
        cars = self._coming.setdefault(tick, {})
        cars.setdefault(record["driver_code"], record)
        if len(cars) < record["field_size"]:
            return []
        self._complete.append((tick, cars))
        self._complete_tick = tick
        self._coming = {later: rest for later, rest in self._coming.items() if later > tick}
        return self._proceed()

    def reading(self, tick: int, alarms: Sequence[Alarm]) -> list[Line]:
        """Returns lines that had been waiting for this engine reading; `alarms` is what the reading has raised."""
        self._alarms += [(tick, alarm) for alarm in alarms]
        self._readings[tick] = self._readings.get(tick, 0) + 1
        return self._proceed()

    def give_up_waiting(self) -> list[Line]:
        """Lines of the ticks that still wait: their race control does not come any more."""
        return self._proceed(patience=0)

    def _proceed(self, patience: int = PATIENCE) -> list[Line]:
        """Goes through complete ticks in order, as far as their race control has been heard too."""
        lines = []
        while self._complete and (len(self._complete) > patience or self._all_heard()):
            tick, cars = self._complete.popleft()
            # Messages up to this tick are held against the board before it. Those of later ticks have to wait.
            heard = [message for message in self._unheard if message["tick"] <= tick]
            self._unheard = [message for message in self._unheard if message["tick"] > tick]
            for message in heard:
                moment = announced(message, self._race)
                self._race.heard(message)
                if moment:
                    self._waiting.append(moment)
            self._race.turn(tick, cars)
            self._waiting += self._raised(tick)
            line = self._line(tick)
            if line:
                lines.append(line)
        return lines

    def _all_heard(self) -> bool:
        """Topics are read side by side: which one is ahead is chance, and must not decide what is said."""
        tick, cars = self._complete[0]
        announced_for_it = next(iter(cars.values())).get("events", 0)
        heard = sum(message["tick"] == tick for message in self._unheard)
        read = not self._hears_alarms or self._readings.get(tick, 0) >= len(cars)
        return read and bool(heard >= announced_for_it)

    def _raised(self, tick: int) -> list[Moment]:
        """What alarms up to this tick have to say; each is a moment once, when it is a warning first."""
        self._readings = {later: number for later, number in self._readings.items() if later > tick}
        raised = [(at, alarm) for at, alarm in self._alarms if at <= tick]
        self._alarms = [(at, alarm) for at, alarm in self._alarms if at > tick]
        moments = []
        for at, alarm in raised:
            same = alarm.key, alarm.kind, alarm.start
            if alarm.severity != "info" and same not in self._alarmed:
                self._alarmed.add(same)
                moments.append(alarm_raised(at, alarm, self._race))
        return moments

    def _line(self, tick: int) -> Line | None:
        self._waiting = [moment for moment in self._waiting if tick - moment.tick <= STALE]
        self._waiting += observed(self._race)
        silence = tick - self._last_line
        if self._race.flag_near(HUSH) and not any(moment.weight >= SHOUT for moment in self._waiting):
            return None
        return self._moment(silence) or (self._story() if silence >= QUIET else None)

    def _moment(self, silence: int) -> Line | None:
        """Returns the weightiest moment that may have its line now and is still true."""
        for moment in sorted(self._waiting, key=lambda moment: (-moment.weight, moment.tick)):
            pause = PAUSE_AT_END if self._race.phase == "over" else PAUSE
            pause = (
                1 if moment.weight >= LAST_CHANCE else pause if moment.weight >= BIG else PAUSE_BEFORE_SMALL
            )
            if moment.weight < MIDDLING or silence < pause:
                continue
            self._waiting.remove(moment)
            candidate = describe(moment, self._race)
            line = self._say(candidate) if candidate and not self._is_old(candidate) else None
            if line:
                return line
        return None

    def _story(self) -> Line | None:
        """Returns the heaviest story that has had no line lately, or a small moment that weighs more."""
        weighted = [
            (self._interest(weight, candidate), candidate) for weight, candidate in stories(self._race)
        ]
        weighted += [
            (moment.weight + self._due(candidate), candidate)
            for moment in self._waiting
            if moment.weight < MIDDLING and (candidate := describe(moment, self._race))
        ]
        for interest, candidate in sorted(weighted, key=lambda pair: -pair[0]):
            line = (
                self._say(candidate, REPHRASED) if interest > DULL and not self._is_old(candidate) else None
            )
            if line:
                kind = SAME_KIND.get(candidate.kind, candidate.kind)
                self._last_said[kind, candidate.subject] = self._last_said[kind, ()] = line.tick
                return line
        return None

    def _is_old(self, candidate: Candidate) -> bool:
        """Whether the same was said of the same drivers a short time ago, in whatever words."""
        # where the stop of who led was said, who leads now is new
        news = "lead" if candidate.kind == "inherited_lead" else NEWS.get(candidate.kind)
        last = self._news.get((news or "", *candidate.subject), -NEWS_AGAIN)
        return news is not None and self._race.tick - last < NEWS_AGAIN

    def _due(self, candidate: Candidate) -> int:
        """How much more a story weighs because its drivers are due for a word: a fair share for each of the field."""
        race, more = self._race, 0
        for code in candidate.subject:
            if code in race.cars and code not in self._named:
                more += UNNAMED + (UNNAMED_LATE - UNNAMED) * race.lap // max(race.laps, 1)
            elif code in race.cars and race.tick - self._named[code] > LONG_AGO:
                more += LONG_UNNAMED
        front = race.order[:3]
        if race.tick - max(self._named.get(code, 0) for code in front) > FRONT_WAITS:
            more += FRONT_MORE * any(code in front for code in candidate.subject)
        return more

    def _interest(self, weight: int, candidate: Candidate) -> int:
        """A story's weight, less for a kind that has been heard lately, none for the same one again."""
        tick, lap = self._race.tick, self._race.ticks_a_lap
        again = STORY_AGAIN if tick - self._last_line > LONG_SILENCE else max(STORY_AGAIN, lap)
        if self._since(candidate.kind, candidate.subject) < again:
            return 0
        tires = max(KIND_TIRES, lap // 2)
        tired = TIRED * max(0, tires - self._since(candidate.kind, ())) // tires
        return weight + self._due(candidate) - (0 if candidate.kind in NO_TIRING else tired)

    def _since(self, kind: str, subject: tuple[str, ...]) -> int:
        kind = SAME_KIND.get(kind, kind)
        return self._race.tick - self._last_said.get((kind, subject), -100_000)

    def _say(self, candidate: Candidate, rest: int = 0) -> Line | None:
        put = self._book.put(candidate, self._race.tick, rest)
        if put is None:
            return None
        text, facts = put
        at, tick = int(self._race.leader["timestamp"]), self._race.tick
        self._last_line = tick
        if not self._drivers:
            cars = self._race.cars.values()
            self._drivers = tuple(driver_names(car) for car in cars)
            self._teams = tuple({team_names(car): None for car in cars})
        codes = named_in(text, self._race.cars.values())
        self._named |= dict.fromkeys(codes, tick)
        if news := NEWS.get(candidate.kind):
            handed = candidate.kind == "inherited_lead"
            self._news[news, *candidate.subject[handed:]] = tick
            if handed:
                self._news["lead", *candidate.subject] = tick
        return Line(text, candidate.type, tick, at, candidate.kind, facts, self._drivers, self._teams, codes)
