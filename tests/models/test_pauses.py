"""Dash and ellipsis pause as long as they should, and nothing else changes."""

from __future__ import annotations

import pytest
import torch

from latent_edit.models.pauses import lengthened_pauses
from latent_edit.models.phonemes import LONG_PAUSES, encode_text


@pytest.mark.parametrize(("mark", "text"), [("\u2014", "One \u2014 two."), ("\u2026", "One\u2026 two.")])
def test_a_mark_is_as_long_as_it_asks(mark: str, text: str) -> None:
    sequence = encode_text(text)
    durations = torch.ones(len(sequence.symbols), dtype=torch.long)
    longer = lengthened_pauses(sequence, durations, 62.5)
    at = sequence.symbols.index(" ", sequence.symbols.index(mark))  # the silence after it
    assert (longer - durations).nonzero().flatten().tolist() == [at]
    assert abs(int(longer[at]) - 1 - 62.5 * LONG_PAUSES[mark]) <= 0.5


def test_other_marks_and_ends_stay() -> None:
    for text in ("One, two; three.", "One, two\u2026", ""):
        sequence = encode_text(text)
        durations = torch.ones(len(sequence.symbols), dtype=torch.long)
        assert lengthened_pauses(sequence, durations, 62.5) is durations


def test_dash_and_ellipsis_are_a_comma_to_the_embedded_voice() -> None:
    assert encode_text("One\u2026 two.").ids == encode_text("One, two.").ids
    assert "\u2026" in encode_text("One\u2026 two.").symbols
