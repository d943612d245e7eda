"""The panel under the prompt: what it shows of a reading, and what is set by hand in it."""

from __future__ import annotations

from latent_edit.axes import AXES, LIMITS
from latent_edit.prompts.reader import read_prompt
from latent_edit.ui.prompt_panel import panel_value, set_by_hand
from latent_edit.wording import reading_lines, shown


def test_every_axis_has_a_slider_that_reaches_its_value() -> None:
    for prompt in ("an octave higher", "half the speed", "a whisper", "as loud as possible", ""):
        rows = panel_value(read_prompt(prompt))["axes"]
        assert [row["name"] for row in rows] == list(AXES)
        assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
        assert all((row["low"], row["high"]) == LIMITS[row["name"]] for row in rows)


def test_lines_tell_what_was_read_and_what_was_not() -> None:
    lines = " ".join(reading_lines(read_prompt("agnry, never loud, with a british accent and zqxv")))
    for word in ("anger", "agnry", "angry", "loud", "zqxv", "accent"):
        assert word in lines
    assert reading_lines(read_prompt("over the telephone"))[0] != reading_lines(read_prompt("sad"))[0]


def test_values_are_in_units_that_people_know() -> None:
    assert "2.00" in shown("pace_log_ratio", 0.6931) and "0.50" in shown("range_ratio_log2", -1.0)
    assert shown("breathiness", 0.5) == "50 %" and shown("level_db", 0.0).startswith("0")


def test_what_rounds_to_zero_has_no_sign() -> None:
    assert shown("level_db", -0.04) == "0.0 dB"


def test_only_what_was_moved_is_set() -> None:
    value = panel_value(read_prompt("sad"))
    assert value["prompt"] == "sad" and "set" not in value  # so that what is set for the same words stays
    assert set_by_hand(value) is None and set_by_hand(None) is None
    assert set_by_hand({**value, "set": {"level_db": 2.0}}) == {"level_db": 2.0}


def test_a_prompt_that_is_acted_says_so() -> None:
    assert "Emotion: sadness, as actors express it." in panel_value(read_prompt("heartbroken"))["lines"]
    assert "Emotion: sadness." in panel_value(read_prompt("sad and slow"))["lines"]
