"""The line under the sentence."""

from __future__ import annotations

from latent_edit.ui.words_read import LONGEST_SHOWN, words_read_value


def test_nothing_is_shown_where_nothing_differs() -> None:
    assert words_read_value("Hello there, how are you?") == ""
    assert words_read_value("") == ""


def test_words_that_differ_are_shown_and_escaped() -> None:
    shown = words_read_value("It costs $5 <b>now</b> \U0001f600")
    assert "five dollars" in shown
    assert "&lt;b&gt;" in shown and "<b>" not in shown
    assert "\U0001f600" in shown


def test_a_long_text_is_cut() -> None:
    assert len(words_read_value("It costs $5 a piece. " * 90)) < LONGEST_SHOWN + 200
