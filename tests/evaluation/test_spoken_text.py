"""Which content words a recogniser missed, whatever way it writes them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from latent_edit.data.splits import split_of
from latent_edit.evaluation import spoken_text
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


def test_recordings_are_judged_alike_and_only_short_ones_that_are_held_out(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [f"Sentence {count} rains." for count in range(60)]
    texts += [f"{' '.join(['Rain'] * 20)} {text}" for text in texts]
    corpus = [SimpleNamespace(text=text, speaker="sam_a", read=lambda _, text=text: text) for text in texts]
    monkeypatch.setattr(spoken_text, "read_corpus", lambda _: corpus)
    short = [text for text in texts if split_of(text) == "test" and len(text.split()) == 3]
    monkeypatch.setattr(spoken_text, "recognise_moonshine", lambda text, _: text if text != short[0] else "")
    assert spoken_text.heard_whole(Path("corpus"), longest=5) == (len(short) - 1, len(short))
