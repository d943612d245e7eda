"""What people type, and the words that it is read as: `cases.csv` has a case a line, compared word by word."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from latent_edit.text import normalise
from latent_edit.text.numbers import decade, ordinal, pairs, roman, spoken, year

CASES = list(csv.DictReader((Path(__file__).parent / "cases.csv").open(encoding="utf-8", newline="")))


def words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower().replace("'", ""))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"][:40])
def test_what_is_typed_becomes_the_words_that_people_say(case: dict[str, str]) -> None:
    assert words(normalise(case["text"]).words) == words(case["words"])


@pytest.mark.parametrize(
    "text",
    [
        "The birch canoe slid on the smooth planks.",
        'She said, "I don\'t know; ask him!"',
        "Is it the mother-in-law's? Yes.",
        "One paragraph.\n\nAnother.",
        "I am a man. So do I.",
    ],
)
def test_plain_english_stays_as_it_is(text: str) -> None:
    normalised = normalise(text)
    assert normalised.words == text
    assert not normalised.differs_from(text)
    assert normalised.notes == ()


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He sells apples, etc. She does not.", "He sells apples, et cetera. She does not."),
        ("We met at 5 p.m. Then we left.", "We met at five P-M. Then we left."),
        ("We met at 5 p.m. yesterday.", "We met at five P-M yesterday."),
        ("It is 3 ft. wide.", "It is three feet wide."),
        ("It is 3 ft. We measured.", "It is three feet. We measured."),
        ("Meet on Wed. at noon.", "Meet on Wednesday at noon."),
        ("She lives on Elm St. He does not.", "She lives on Elm Street. He does not."),
        ("The U.S. economy grew.", "The U-S economy grew."),
        ("Wait... what?", "Wait\u2026 what?"),
        ("He (the boss) left.", "He, the boss, left."),
        ("Today\u2014not tomorrow\u2014is the day.", "Today \u2014 not tomorrow \u2014 is the day."),
        ("Really?!! Yes!!!", "Really? Yes!"),
    ],
)
def test_marks_that_end_or_pause(text: str, sentences: str) -> None:
    assert normalise(text).words == sentences


def test_what_is_left_out_is_told() -> None:
    assert normalise("Good job \U0001f44d (laughs) <b>you</b>!").left_out == ("\U0001f44d", "<b>", "</b>", "(laughs)")
    assert normalise("[a link](http://x.com/y)").left_out == ("http://x.com/y",)
    assert "Left out" in normalise("*sighs* Fine.").notes[0]


def test_what_is_spelt_and_what_is_foreign_is_told() -> None:
    assert normalise("The FBI and NASA met").spelt == ("FBI",)
    russian = normalise("\u041c\u043e\u0441\u043a\u0432\u0430 is cold")
    assert russian.foreign == (("\u041c\u043e\u0441\u043a\u0432\u0430", "moskva"),)
    assert "reads English" in russian.notes[0]
    hebrew = normalise("\u05e9\u05dc\u05d5\u05dd")
    assert hebrew.words == "" and hebrew.foreign == (("\u05e9\u05dc\u05d5\u05dd", ""),)


def test_dates_follow_the_country_that_the_money_tells() -> None:
    assert normalise("Due 3/4/2024.").words.startswith("Due March fourth")
    assert "third of April" in normalise("Due 3/4/2024: \u00a35.").words


def test_numbers() -> None:
    assert spoken("1,234.50") == "one thousand two hundred and thirty four point five zero"
    assert spoken("007") == "oh oh seven"
    assert (year(1908), year(2024), year(1900)) == ("nineteen oh eight", "twenty twenty four", "nineteen hundred")
    assert (decade(1990), decade(20)) == ("nineteen nineties", "twenties")
    assert (pairs("101"), pairs("747"), pairs("200")) == ("one oh one", "seven forty seven", "two hundred")
    assert (ordinal(21), roman("XIV"), roman("IIII"), roman("")) == ("twenty first", 14, None, None)


@given(st.text(max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_text_becomes_letters_and_marks_alone(text: str) -> None:
    result = normalise(text).words
    assert not re.search(r"[^\w\s,.!?;:'\"\u2014\u2026-]|\d|_", result)
    assert "\n\n\n" not in result


@given(
    st.lists(st.sampled_from(["$5", "3.5", "IBM", "he", "10-15", "No. 5", "1/2", "@", "2pm", "St.", "...", "(", ")"]))
)
@settings(max_examples=100, deadline=None)
def test_whatever_follows_whatever_no_figure_is_lost(parts: list[str]) -> None:
    read = words(normalise(" ".join(parts)).words)
    assert len([x for x in read if x == "he"]) == parts.count("he")
