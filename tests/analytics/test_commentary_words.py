from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from races.analytics.commentary import words
from races.analytics.commentary.facts import STOP_FROM_LAPS
from races.analytics.commentary.words import Candidate, Fact, Phrasebook, phrases, slots_of
from races.sim import TWO_COMPOUNDS_FROM

SOURCES = sorted(Path(words.__file__).parent.glob("*.py"))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "first"),
        (3, "third"),
        (10, "tenth"),
        (11, "11th"),
        (12, "12th"),
        (13, "13th"),
        (21, "21st"),
        (22, "22nd"),
    ],
)
def test_ordinals(number: int, said: str) -> None:
    assert words.ordinal(number) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "no laps"), (1, "one lap"), (2, "two laps"), (12, "twelve laps"), (13, "13 laps")],
)
def test_plurals(number: int, said: str) -> None:
    assert words.plural(number, "lap") == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.04, None),
        (0.1, "a tenth"),
        (0.5, "half a second"),
        (0.84, "eight tenths"),
        (0.96, None),
        (3.0, None),
    ],
)
def test_tenths_only_below_a_second(value: float, said: str | None) -> None:
    assert words.tenths(value) == said


def test_lap_times_names_and_sentences() -> None:
    assert words.lap_time(81.0464) == "1:21.046"
    assert words.lap_time(59.9999) == "1:00.000"
    assert words.listing(["Norris"]) == "Norris"
    assert words.listing(["Norris", "Piastri", "Russell"]) == "Norris, Piastri and Russell"
    assert words.sentence("third goes. and so? yes! no") == "Third goes. And so? Yes! No"


def test_kinds_have_enough_phrases() -> None:
    assert all(len(lines) >= 8 for lines in phrases().values())
    everything = [line for lines in phrases().values() for line in lines]
    assert len(set(everything)) == len(everything)
    assert len(everything) > 500


@pytest.mark.parametrize("kind", sorted(phrases()))
def test_phrases_are_sentences_of_a_line(kind: str) -> None:
    for phrase in phrases()[kind]:
        assert phrase[0].isupper() or phrase[0] in "{", phrase
        assert phrase[-1] in ".!?", phrase
        assert "  " not in phrase
        assert "—" not in phrase and "–" not in phrase
        spoken = re.sub(r"\{[^}]+\}", "Antonelli", phrase)
        assert len(spoken) <= words.LONGEST + 8, phrase


EARNED = {  # words that claim more than a place: only beside what earns them
    "Heartbreak": "from_front",
    "points go begging": "from_points",
    "{leader's} lead of": "big_lead",
    "mirrors, and they are full": "few",
    "all over the back": "few",
    "biggest climb": "best_gain",
    "Nobody has gained more": "best_gain",
    "not safe": "interval_tenths",
    "passed each other already": "b_back",
}
UNEARNED = (  # what no record shows: praise, luck, feelings, and how it will end
    r"luck|faultless|textbook|take a bow|what a (drive|launch|move|scrap|lap|first)|some drive|drive of the day"
    r"|well started|elbows|can be pleased|good move|sets the pace|worn out|tyres cold|go cold|has to come"
)


TURNED_ROUND = (
    r"^(In|Out|Off|Up|Down|Wide|Back|Away|Into the \w+) (comes?|goes?|go|come|sits?)\b|\btold\b"
    r"|\bhere (comes?|is|are|'s)\b|\bthere (goes?|comes?)\b|, (says|say) "
)
SPANS = "interval|lead|big_lead|margin|spread|stood|quick|lost|off|was|now|change|alone|to_next"


def test_sentences_begin_with_their_subject() -> None:
    """A commentator says that Norris comes in; "In comes Norris" and its kind wear out after two."""
    everything = [line for lines in phrases().values() for line in lines]
    assert [line for line in everything if re.search(TURNED_ROUND, line, re.IGNORECASE)] == []


def test_nobody_queues_behind_a_virtual_safety_car() -> None:
    under_either = ("queue_virtual", "queue_behind", "restart_tyres", "neutral_laps", "last_lap_neutral")
    assert not any("queue" in line for kind in under_either for line in phrases()[kind])


def test_seconds_are_no_adjective() -> None:
    """It is "a 2.3-second stop", and a slot says "2.3 seconds"."""
    everything = [line for lines in phrases().values() for line in lines]
    assert [line for line in everything if re.search(rf"\ban? {{({SPANS})}}", line, re.IGNORECASE)] == []


def test_claims_stand_in_the_records() -> None:
    everything = [line for lines in phrases().values() for line in lines]
    for words_, slot in EARNED.items():
        with_them = [line for line in everything if words_.lower() in line.lower()]
        assert with_them, words_
        for line in with_them:
            assert slot in slots_of(line), line
    assert [line for line in everything if re.search(UNEARNED, line, re.IGNORECASE)] == []


def test_code_and_phrases_share_kinds() -> None:
    """A kind without phrases would never be told; phrases without a kind would never be used."""
    literals = {
        node.value
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(phrases()) <= literals


def test_stops_are_due_as_in_the_model() -> None:
    assert STOP_FROM_LAPS == TWO_COMPOUNDS_FROM


def test_every_slot_can_be_offered() -> None:
    source = "\n".join(path.read_text() for path in SOURCES)
    names = {name for lines in phrases().values() for line in lines for name in slots_of(line)}
    ends = {re.sub(r"^(a|b|c)(?=_|'|$)|_tenths$", "", name.lower()) for name in names}
    for end in ends - {"", "'s"}:
        assert f'{end}"' in source, end


texts = st.text(
    st.characters(blacklist_characters="{}", blacklist_categories=["Cs"]), min_size=1, max_size=12
)


@given(texts, texts, st.integers(0, 2**32))
def test_phrase_needs_all_its_slots(one: str, two: str, seed: int) -> None:
    candidate = Candidate("battle", "info", [Fact("base")])
    candidate.offer("a", one, Fact("about a"))
    candidate.offer("b", two, Fact("about b"))
    put = Phrasebook(str(seed)).put(candidate)
    assert put is not None
    text, facts = put
    assert "{" not in text
    assert len(text) <= words.LONGEST
    assert Fact("base") in facts
    assert set(facts) <= {Fact("base"), Fact("about a"), Fact("about b")}


def test_no_sentence_comes_twice() -> None:
    book, said = Phrasebook("seed"), []
    candidate = Candidate("red_flag", "warning", [])
    candidate.offer("leader", "Norris")
    candidate.offer("second", "Piastri")
    while put := book.put(candidate):
        said.append(put[0])
    assert len(said) == len(set(said)) == len(phrases()["red_flag"])


def test_each_race_has_its_own_order() -> None:
    def said(race: str) -> list[str]:
        book, candidate = Phrasebook(race), Candidate("red_flag", "warning", [])
        candidate.offer("leader", "Norris")
        candidate.offer("second", "Piastri")
        return [put[0] for _ in range(5) if (put := book.put(candidate))]

    assert said("one") == said("one")
    assert len({tuple(said(str(race))) for race in range(8)}) > 4
