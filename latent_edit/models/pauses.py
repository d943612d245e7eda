"""How long pauses last: at marks that the voice was never shown or that ask for more than its comma; in slow speech."""

from __future__ import annotations

import torch
from torch import Tensor

from latent_edit.models.phonemes import BLANK, LONG_PAUSES, PhonemeSequence

PAUSES = " ;:,.!?…—"
PAUSE_ELASTICITY = 6.0  # of 3, 6 and 10, the one with which most words were recognised on validation sentences


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


def slowed(sequence: PhonemeSequence, durations: Tensor, ratio: float) -> Tensor:
    """Durations [P] whose sum is `ratio` times as long, of which pauses between words take most.

    A slower speaker lengthens pauses before words (Grosjean & Collins 1979, Phonetica 36), and words stretched less are
    better understood.
    """
    share = durations * durations.new_tensor(elasticity(sequence))
    return durations + (ratio - 1) * durations.sum() * share / share.sum()


def elasticity(sequence: PhonemeSequence) -> list[float]:
    """How much of what comes to a sentence a frame of each symbol takes.

    `PAUSE_ELASTICITY` between two words, one elsewhere, and of a blank the mean of its neighbours.
    """
    own = [PAUSE_ELASTICITY if symbol in PAUSES else 1.0 for symbol in sequence.symbols]
    sounding = [i for i, symbol in enumerate(sequence.symbols) if symbol not in PAUSES and symbol != BLANK]
    first, last = sounding[0], sounding[-1]  # silence before and after is none between words
    for i, symbol in enumerate(sequence.symbols):
        if not first < i < last:
            own[i] = 1.0
        elif symbol == BLANK:
            own[i] = (own[i - 1] + own[i + 1]) / 2
    return own
