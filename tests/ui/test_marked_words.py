"""The words under the sentence, and the range that is marked among them."""

from __future__ import annotations

import pytest

from latent_edit.errors import InputError
from latent_edit.ui.marked_words import marked, marked_value, words_as_read


def test_words_are_counted_as_they_are_read() -> None:
    assert words_as_read("Mr. Smith paid $5 \u2014 twice!") == ["Mister", "Smith", "paid", "five", "dollars", "twice!"]
    assert words_as_read("") == []
    assert len(words_as_read("rain " * 300)) == 300
    assert words_as_read("Herr Maier zahlt 5 \u20ac.", english=False) == ["Herr", "Maier", "zahlt", "5"]


@pytest.mark.parametrize(("words", "typed"), [(None, ""), ((3, 3), "3"), ((3, 5), "3-5")])
def test_a_range_is_written_as_it_is_read(words: tuple[int, int] | None, typed: str) -> None:
    assert marked_value(words) == typed
    assert marked({"marked": typed}) == words
    assert marked(None) is None


def test_what_is_no_range_is_refused() -> None:
    with pytest.raises(InputError, match="words must be"):
        marked({"marked": "all"})
