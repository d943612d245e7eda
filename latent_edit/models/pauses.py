"""How long marks pause: those that the voice was never shown, or that ask for more than its comma."""

from __future__ import annotations

import torch
from torch import Tensor

from latent_edit.models.phonemes import LONG_PAUSES, PhonemeSequence


def lengthened_pauses(sequence: PhonemeSequence, durations: Tensor, frames_per_second: float) -> Tensor:
    """Durations [P] in frames of a sequence's symbols, with dash and ellipsis longer than the comma they are read as.

    At the end of the sequence nothing follows that a pause could part.
    """
    longer = durations.clone()
    for index, symbol in enumerate(sequence.symbols):
        if symbol in LONG_PAUSES and _sounds(sequence.symbols[index + 1 :]):
            longer[index] += round(LONG_PAUSES[symbol] * frames_per_second)
    return durations if torch.equal(longer, durations) else longer


def _sounds(symbols: tuple[str, ...]) -> bool:
    return any(symbol.isalpha() for symbol in symbols)
