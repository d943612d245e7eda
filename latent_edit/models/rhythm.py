"""How long symbols last when a manner is acted: sounds of one kind grow or shrink together (see `manners.Manner`)."""

from __future__ import annotations

import unicodedata

import numpy as np
import torch
from torch import Tensor

from latent_edit.manners import SOUNDS, THIRDS
from latent_edit.models.pauses import slowed
from latent_edit.models.phonemes import BLANK, PhonemeSequence

STRESSED, VOWEL, SONORANT, FRICATIVE, PLOSIVE = range(len(SOUNDS))
VOWELS = frozenset("aeiouyæøœɐɑɒɔɘəɚɛɜɝɞɤɨɪɯɵɶʉʊʌʏᵻ")
SONORANTS = frozenset("jlmnrwɥɫɬɭɰɱɲɳɴɹɻɾʀʁʎʟŋ")
PLOSIVES = frozenset("bcdgkpqtɖɟɡɢʈʔ")
STRESSES = "ˈˌ"
EVEN = np.zeros((len(SOUNDS), THIRDS))  # the rhythm in which all sounds last longer alike
DIACRITICS = ("Lm", "Mn", "Sk")  # as Unicode classes them; stress among them


def kinds_of_sound(sequence: PhonemeSequence) -> list[int | None]:
    """Which of `manners.SOUNDS` each symbol is; None in a pause. Blanks, diacritics and marks of length belong to what
    they follow. Stressed is the first vowel after a mark of stress, with all of its diphthong.
    """
    kinds: list[int | None] = []
    stressed, last = False, ""
    for symbol in sequence.symbols:
        category = unicodedata.category(symbol)
        if symbol in STRESSES:
            stressed = True
            kinds.append(PLOSIVE)  # it has hardly a frame
        elif symbol == BLANK or category in DIACRITICS or (symbol in VOWELS and last in VOWELS):
            kinds.append(kinds[-1] if kinds else None)
        elif not category.startswith("L"):
            kinds.append(None)
        elif symbol in VOWELS:
            kinds.append(STRESSED if stressed else VOWEL)
            stressed = False
        else:
            kinds.append(SONORANT if symbol in SONORANTS else PLOSIVE if symbol in PLOSIVES else FRICATIVE)
        last = last if symbol == BLANK else symbol
    return kinds


def acted_durations(sequence: PhonemeSequence, durations: Tensor, rhythm: np.ndarray, ratio: float) -> Tensor:
    """Durations [P] whose sum is `ratio` times as long, at least 1, in a rhythm [SOUNDS, THIRDS].

    Pauses take part in what all of it grows or shrinks by, as in `pauses.slowed`.
    """
    middles = durations.cumsum(0) - durations / 2
    thirds = (THIRDS * middles / durations.sum()).long().clamp(0, THIRDS - 1).tolist()
    logs = [
        0.0 if kind is None else float(rhythm[kind, third])
        for kind, third in zip(kinds_of_sound(sequence), thirds, strict=True)
    ]
    uneven = durations * torch.tensor(logs).to(durations).exp()
    missing = ratio * float(durations.sum() / uneven.sum())
    return slowed(sequence, uneven, missing) if missing > 1 else uneven * missing
