"""What a scan of a prompt has found so far."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from latent_edit.prompts.lexicon import Word
from latent_edit.prompts.reading import OutOfScope, Substitution


@dataclass(frozen=True)
class Item:
    """An expression as it is meant. factor: how strongly; zero where it is denied, below it where it is turned."""

    word: Word
    typed: str
    factor: float
    clause: int

    @property
    def axes(self) -> np.ndarray:
        """Its contribution, [7]."""
        return self.factor * self.word.axes


@dataclass
class State:
    """What has been read so far."""

    items: list[Item] = field(default_factory=list)
    held: dict[str, tuple[str, ...]] = field(default_factory=dict)  # axes that stay as they are, and by which words
    substitutions: list[Substitution] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    out_of_scope: list[OutOfScope] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    speakers: list[str] = field(default_factory=list)
    said_neutral: bool = False
    started: bool = False  # whether a word was seen: the first of a prompt may have a capital letter
    changed: bool = False  # whether the text for the CLAP is another than the prompt
    clause: int = 0
