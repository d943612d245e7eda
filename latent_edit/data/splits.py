"""Splits by sentence: what is said in a held-out sentence is never heard in training, in any voice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Literal

from latent_edit.data.corpora import Utterance

Split = Literal["train", "validation", "test"]

# Shares of sentences held out, of 1000.
TEST_PER_MILLE = 110
VALIDATION_PER_MILLE = 10


def sentence_key(text: str) -> str:
    """The sentence without case and punctuation, so that several takes and voices of it fall together."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower().replace("’", "'")))


def split_of(text: str) -> Split:
    """Which split a sentence belongs to: a hash of its words, so that it is the same everywhere and for ever."""
    number = int.from_bytes(hashlib.sha256(sentence_key(text).encode()).digest()[:8], "big") % 1000
    if number < TEST_PER_MILLE:
        return "test"
    return "validation" if number < TEST_PER_MILLE + VALIDATION_PER_MILLE else "train"


def select(utterances: Sequence[Utterance], split: Split) -> list[Utterance]:
    """The utterances of one split, in their order."""
    return [utterance for utterance in utterances if split_of(utterance.text) == split]


def split_hash(utterances: Sequence[Utterance]) -> str:
    """Fingerprint of what was held out: sha256 over the sorted sentences of the validation and test splits."""
    held_out = sorted({f"{split_of(u.text)} {sentence_key(u.text)}" for u in utterances if split_of(u.text) != "train"})
    return hashlib.sha256("\n".join(held_out).encode()).hexdigest()


def sample(utterances: Sequence[Utterance], count: int) -> list[Utterance]:
    """`count` utterances spread evenly by a hash of voice and file name; the same whatever else is in the corpus."""

    def key(utterance: Utterance) -> str:
        return hashlib.sha256(f"{utterance.speaker}/{utterance.path.name}".encode()).hexdigest()

    return sorted(utterances, key=key)[:count]
