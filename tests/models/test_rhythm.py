"""Which kinds of sound a sentence has, and how long they last in a rhythm."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from latent_edit.manners import SOUNDS, THIRDS
from latent_edit.models.phonemes import BLANK, VITS_VOCABULARY, encode_symbols, encode_text
from latent_edit.models.rhythm import FRICATIVE, PLOSIVE, SONORANT, STRESSED, VOWEL, acted_durations, kinds_of_sound

TEXT = "No bees, a sofa."


def test_every_symbol_is_a_kind_of_sound_or_silent() -> None:
    sequence = encode_text(TEXT)
    kinds = list(zip(sequence.symbols, kinds_of_sound(sequence), strict=True))
    sounding = [(symbol, kind) for symbol, kind in kinds if symbol not in (BLANK, "ˈ")]
    assert sounding == [
        ("n", SONORANT), ("o", STRESSED), ("ʊ", STRESSED), (" ", None),
        ("b", PLOSIVE), ("i", STRESSED), ("ː", STRESSED), ("z", FRICATIVE), (",", None), (" ", None),
        ("ɐ", VOWEL), (" ", None), ("s", FRICATIVE), ("o", STRESSED), ("ʊ", STRESSED), ("f", FRICATIVE), ("ə", VOWEL),
        (".", None),
    ]  # fmt: skip
    assert kinds[0] == (BLANK, None) and kinds[1:3] == [("n", SONORANT), (BLANK, SONORANT)]


def test_quotes_are_silent_and_diacritics_belong_to_what_they_follow() -> None:
    sequence = encode_symbols('"bˈʌʔn̩"', VITS_VOCABULARY)
    kinds = dict(zip(sequence.symbols, kinds_of_sound(sequence), strict=True))
    assert kinds['"'] is None and kinds["ʔ"] == PLOSIVE and kinds["n"] == kinds["̩"] == SONORANT


@pytest.mark.parametrize("ratio", [1.0, 1.5])
def test_durations_have_the_sum_of_the_pace_and_the_proportions_of_the_rhythm(ratio: float) -> None:
    sequence = encode_text(TEXT)
    durations = torch.full((len(sequence.symbols),), 4.0, dtype=torch.float64)
    rhythm = np.zeros((len(SOUNDS), THIRDS))
    rhythm[VOWEL, 2], rhythm[STRESSED] = 1.0, [0.5, 0.0, -0.5]
    found = acted_durations(sequence, durations, rhythm, ratio)
    assert float(found.sum()) == pytest.approx(ratio * float(durations.sum()))
    at = sequence.symbols.index
    first, last = at("o"), len(sequence.symbols) - 1 - sequence.symbols[::-1].index("o")
    assert float(found[first] / found[last]) == pytest.approx(np.e)
    assert float(found[at("ə")] / found[at("f")]) == pytest.approx(np.e)


def test_without_a_rhythm_nothing_changes() -> None:
    sequence = encode_text(TEXT)
    durations = torch.arange(1.0, len(sequence.symbols) + 1, dtype=torch.float64)
    assert torch.allclose(acted_durations(sequence, durations, np.zeros((len(SOUNDS), THIRDS)), 1.0), durations)
