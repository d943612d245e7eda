"""Which content words a recogniser missed, whatever way it writes them."""

from __future__ import annotations

import pytest

from latent_edit.evaluation.spoken_text import missing_words, spoken_words


@pytest.mark.parametrize(
    ("expected", "heard"),
    [
        ("the ticket costs one hundred dollars", "The ticket costs $100."),
        ("two million dollars in twenty twenty four", "$2 million in 2024"),
        ("i b ms new c e o", "IBM's new CEO."),
        ("after two point five kilometres", "after 2.5 kilometers"),
        ("nine oh five a m", "9:05 a.m."),
        ("zerowidth spaces", "zero width spaces"),
        ("in the nineteen nineties", "In the nineteen ninety s."),
    ],
)
def test_figures_and_words_count_the_same(expected: str, heard: str) -> None:
    assert missing_words(expected, heard) == []


def test_what_is_missing_is_named() -> None:
    assert missing_words("the coffee is three point five", "The coffee is three.") == ["point", "five"]
    assert spoken_words("U.S. and e.g.") == ["us", "and", "eg"]
