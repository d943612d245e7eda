"""How long marks pause: those that the voice was never shown, or that ask for more than its comma."""

from __future__ import annotations

import torch
from torch import Tensor

from latent_edit.models.phonemes import LONG_PAUSES, PhonemeSequence


def lengthened_pauses(sequence: PhonemeSequence, durations: Tensor, frames_per_second: float) -> Tensor:
    """Durations [P] in frames of a sequence's symbols, with dash and ellipsis longer than the comma they are read as.

    At the end of the sequence nothing follows that a pause could part. It is the space after the mark that is silent:
    in longer frames of the mark itself the voice lingers on the word before.
    """
    longer, symbols = durations.clone(), sequence.symbols
    for index, symbol in enumerate(symbols):
        following = next((i for i in range(index + 1, len(symbols)) if symbols[i].isalpha()), None)
        if symbol in LONG_PAUSES and following:
            silent = next((i for i in range(index, following) if symbols[i] == " "), index)
            longer[silent] += round(LONG_PAUSES[symbol] * frames_per_second)
    return durations if torch.equal(longer, durations) else longer
