"""Names of strangers: what is taken, and which two look alike."""

from __future__ import annotations

import pytest

from races.lib.names import LONGEST, BadName, clean_name, look


@pytest.mark.parametrize("name", ["Anna", "Zoë", "Nguyễn Thị", "山田さくら", "محمد", "O'Brien", "Åsa-Mia 2"])
def test_names_of_people_are_taken(name: str) -> None:
    assert clean_name(f"  {name} ") == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "12",
        "x" * (LONGEST + 1),
        "<b>Anna</b>",
        "Anna\u202estsaf",  # turns its neighbours around
        "An\u200bna",  # nothing to see
        "An\0na",
        "A\u0300\u0301\u0302\u0303nna",
        "\u0301Anna",
        "\u0410nna",  # a Cyrillic A before Latin letters
        "Anna 🏎",
    ],
)
def test_what_is_no_name_is_refused_with_words(text: str) -> None:
    with pytest.raises(BadName, match="name"):
        clean_name(text)


def test_lines_and_wide_letters_become_plain_ones() -> None:
    assert clean_name("Ａnna\n\tLee") == "Anna Lee"


@pytest.mark.parametrize(
    ("one", "other"),
    [("Anna", "ANNA."), ("Anna", "Ánna"), ("Paul", "Pau1"), ("coco", "\u0441\u043e\u0441\u043e")],
)
def test_names_that_look_alike_have_one_look(one: str, other: str) -> None:
    assert look(clean_name(one)) == look(clean_name(other))


def test_other_names_look_different() -> None:
    names = ["Anna", "Hanna", "Ana", "Müller", "Miller", "山田", "محمد", "Иван"]
    assert len({look(name) for name in names}) == len(names)
