"""How long marks pause: those that the voice was never shown, or that ask for more than its comma."""

from __future__ import annotations

import torch
from torch import Tensor

from latent_edit.models.phonemes import BLANK, LONG_PAUSES, PhonemeSequence


def lengthened_pauses(sequence: PhonemeSequence, durations: Tensor, frames_per_second: float) -> Tensor:
    """Durations [P] in frames of a sequence's symbols, in which dash and ellipsis are as long as they should be.

    A mark has the blanks and spaces beside it; what they lack together is added to the mark itself. At the end of the
    sequence nothing follows that a pause could part.
    """
    longer = durations.clone()
    for index, symbol in enumerate(sequence.symbols):
        if symbol not in LONG_PAUSES or not _sounds(sequence.symbols[index + 1 :]):
            continue
        first, last = index, index
        while first > 0 and sequence.symbols[first - 1] in (BLANK, " "):
            first -= 1
        while sequence.symbols[last + 1] in (BLANK, " "):
            last += 1
        wanted = round(LONG_PAUSES[symbol] * frames_per_second)
        longer[index] += max(0, wanted - int(longer[first : last + 1].sum()))
    return longer if not torch.equal(longer, durations) else durations


def _sounds(symbols: tuple[str, ...]) -> bool:
    return any(symbol.isalpha() for symbol in symbols)
