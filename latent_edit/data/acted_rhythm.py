"""Which sounds people lengthen and which they shorten when they act, from takes with phone labels (SAMPA) by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from latent_edit.data.takes import Phone, TakePair, read_phone_labels, shared_phones
from latent_edit.manners import SOUNDS, THIRDS
from latent_edit.models.rhythm import FRICATIVE, PLOSIVE, SONORANT, STRESSED, VOWEL

SILENCES = ".(["  # first characters of what is no speech sound
RELEASES, ASPIRATED = "!_", "asp"  # the parts of a plosive
VOWELS, SONORANTS = frozenset("aeiouyIEUOYAQ@269"), frozenset("mnNlLjvVwrR4B")
PLOSIVES = frozenset("pbtdkg?")
SHORTEST_SECONDS = 0.005  # of a sound; shorter ones are slips of a label
PRIOR = 5  # sounds: as many with no difference between kinds and thirds are added to each mean


class SharedSound(NamedTuple):
    """A sound that two takes share. kind: of `manners.SOUNDS`; third: of the sentence; plain, styled: seconds."""

    kind: int
    third: int
    plain: float
    styled: float

    @property
    def log_ratio(self) -> float:
        """Logarithm of how many times longer the styled take has it."""
        return float(np.log(self.styled / self.plain))


def shared_sounds(pair: TakePair) -> list[SharedSound]:
    """The sounds of the sentence that both takes have, in order; none for a pair without labels."""
    if pair.labels is None:
        return []
    plain, styled = map(_sounds, pair.labels)
    found = []
    for first, second in shared_phones(plain, styled):
        kind = _kind(plain[first])
        if kind is None or first + 1 == len(plain) or second + 1 == len(styled):
            continue
        here, there = (phones[i + 1].start - phones[i].start for phones, i in ((plain, first), (styled, second)))
        if min(here, there) >= SHORTEST_SECONDS:
            place = (plain[first].start + here / 2 - plain[0].start) / (plain[-1].start - plain[0].start)
            found.append(SharedSound(kind, min(int(THIRDS * place), THIRDS - 1), here, there))
    return found


def learn(sentences: Sequence[Sequence[SharedSound]]) -> np.ndarray:
    """The rhythm [SOUNDS, THIRDS] of a manner: mean logarithms, without what all sounds have in common."""
    values: list[list[list[float]]] = [[[] for _ in range(THIRDS)] for _ in SOUNDS]
    for sound in (sound for sentence in sentences for sound in sentence):
        values[sound.kind][sound.third].append(sound.log_ratio)
    every = [value for kind in values for third in kind for value in third]
    common = float(np.mean(every)) if every else 0.0
    return np.array([[sum(v - common for v in third) / (len(third) + PRIOR) for third in kind] for kind in values])


def predicted(sentence: Sequence[SharedSound], rhythm: np.ndarray, pace: float) -> np.ndarray:
    """Logarithm of how many times longer each sound of a sentence lasts, [S], in a rhythm at a pace."""
    plain = np.array([sound.plain for sound in sentence])
    uneven = np.array([rhythm[sound.kind, sound.third] for sound in sentence])
    logs: np.ndarray = uneven - np.log((plain * np.exp(uneven)).sum() / plain.sum()) + pace
    return logs


def _sounds(path: Path) -> list[Phone]:
    """The phones of a clip, each plosive in one, silence too: the last label is the end of what is said."""
    phones: list[Phone] = []
    for phone in read_phone_labels(path):
        symbol = phone.symbol.lstrip(RELEASES).removesuffix(ASPIRATED)
        part = phone.symbol[0] in RELEASES or phone.symbol.endswith(ASPIRATED)
        if not (part and phones and phones[-1].symbol == symbol):
            phones.append(phone._replace(symbol=symbol))
    return phones


def _kind(phone: Phone) -> int | None:
    first = phone.symbol[:1]
    if not first or first in SILENCES:
        return None
    if first in VOWELS:
        return STRESSED if phone.stressed else VOWEL
    return SONORANT if first in SONORANTS else PLOSIVE if first in PLOSIVES else FRICATIVE
