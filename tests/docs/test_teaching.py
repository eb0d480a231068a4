"""What a teacher is promised: seeds with their stories, a plan that fits, words explained before their first use."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from races.sim import DEFAULT_PACE, Event, Race, RaceSettings, default_laps
from tests.docs.guide import GUIDE, ROOT, pages

TEACHING = (GUIDE / "12-teaching.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (.+?) \| (.+?) \| (\d+) \| (\d+) \|", re.M)
SEEDS = ROW.findall(TEACHING[TEACHING.index("## Five seeds") : TEACHING.index("## A class")])
NAMES = {"safety_car": "safety car", "vsc": "VSC"}


def told(seed: int) -> tuple[str, ...]:
    """The race of this seed, in the words of the guide's table."""
    race = Race(RaceSettings("monza", default_laps("monza"), DEFAULT_PACE, seed), sensors=False)
    events: list[Event] = []
    while not race.over:
        events += race.advance().events
    first, second = race.classification()[:2]
    flags = [f"{NAMES[event.type]} lap {event.lap}" for event in events if event.type in NAMES]
    kinds = Counter(event.type for event in events)
    return (
        str(seed),
        ", ".join(flags) or "none",
        f"{first.driver_code} from {first.grid}",
        f"{second.gap_s:.1f} s",
        str(kinds["overtake"]),
        str(kinds["retirement"]),
    )


@pytest.mark.parametrize("row", SEEDS, ids=lambda row: row[0])
def test_a_seed_has_the_story_that_is_told(row: tuple[str, ...]) -> None:
    assert told(int(row[0])) == row


def test_there_are_five_seeds_and_one_has_every_fault() -> None:
    assert len(SEEDS) == 5
    race = Race(RaceSettings("monza", default_laps("monza"), DEFAULT_PACE, 18))
    assert {fault.kind for fault in race.injected_faults()} == {
        "leak",
        "blocked_radiator",
        "stuck_sensor",
        "spike",
    }


@pytest.mark.parametrize(("heading", "most"), [("### Sixty minutes", 60), ("### Ninety minutes", 60)])
def test_a_plan_goes_forward_and_fits(heading: str, most: int) -> None:
    """The second one stands in the middle of the first, from its minute 30 to the sixtieth."""
    text = TEACHING[TEACHING.index(heading) :].split("\n#", 1)[0]
    minutes = [int(number) for number in re.findall(r"^\| (\d+) \|", text, re.M)]
    assert minutes == sorted(set(minutes))
    assert minutes[-1] < most


WORDS = re.findall(r"^\| ([a-zA-Z ,()]+) \|", (GUIDE / "README.md").read_text().split("## Words")[1], re.M)
TERMS = {term.strip() for words in WORDS for term in words.split("(")[0].split(",")}
USED = [
    *(
        "record",
        "topic",
        "partition",
        "offset",
        "key",
        "stream",
        "Kafka",
        "schema",
        "registry",
        "Avro",
        "Flink",
    ),
    *(
        "analytics",
        "worker",
        "recorder",
        "tick",
        "event time",
        "consumer",
        "group",
        "lag",
        "window",
        "watermark",
    ),
    *("late", "upsert table", "state", "savepoint", "CFU", "outlier", "alarm", "compaction"),
    *("pace", "seed", "race control", "safety car"),
]
EXPLAINED_LATER = ("rebalance", "idempotent", "tombstone", "processing time", "idle timeout")


@pytest.mark.parametrize("term", USED)
def test_words_of_several_parts_come_before_the_first_part(term: str) -> None:
    """The guide's first page has them in a table."""
    assert term in TERMS
    assert any(re.search(rf"\b{term}", path.read_text(encoding="utf-8"), re.I) for path in pages()[:-1])


@pytest.mark.parametrize("term", EXPLAINED_LATER)
def test_other_words_are_explained_where_they_first_stand(term: str) -> None:
    """Explained means: bold, and nowhere used in a page before."""
    for path in pages():
        text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.S)
        if found := re.search(rf"(\*\*)?\b{term}\b", text, re.I):
            assert found[1], f"{path.name} uses {term} before it is explained"
            return
    raise AssertionError(f"{term} is nowhere explained")


def test_the_hand_out_is_a_page() -> None:
    """About 55 lines of print; a browser prints it in nine and a half points."""
    text = (ROOT / "docs" / "handout.md").read_text(encoding="utf-8")
    assert sum(1 + len(line) // 125 for line in text.splitlines() if line.strip()) <= 55
