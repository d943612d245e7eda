"""The words people use for a voice and their meaning on the style axes, read from presets/lexicon.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np

from latent_edit.axes import AXES
from latent_edit.config import PRESETS, read_yaml
from latent_edit.prompts.words import prompt_words, stems

CaptionSplit = Literal["train", "test", "unseen_words"]
FORMS = ("adj", "more", "adv", "state", "manner", "role", "verb", "doing", "phrase")
FLOORS = np.array([axis.floor for axis in AXES.values()])
MINIMA = np.array([axis.minimum for axis in AXES.values()])
MAXIMA = np.array([axis.maximum for axis in AXES.values()])
_PLACEHOLDER = re.compile(r"\{(\w+)(!?)\}")


@dataclass(frozen=True)
class Word:
    """One expression of the lexicon. axes: what it means, [7] in the order of `AXES`; held_out: not for training."""

    text: str
    form: str
    concept: str
    axes: np.ndarray
    held_out: bool


@dataclass(frozen=True)
class Slot:
    """A place in a template. form: of the words that fit; negated: the template denies it; article: after "a"."""

    form: str
    negated: bool
    article: bool


@dataclass(frozen=True)
class Template:
    """pieces: the text around the slots, one more than there are slots; "<a>" is still to become "a" or "an"."""

    pieces: tuple[str, ...]
    slots: tuple[Slot, ...]

    @staticmethod
    def parse(source: str) -> Template:
        """Template from "{a} {adj} voice" and the like; {form!} is a negated slot. Raises ValueError."""
        source = source.replace("{a}", "<a>")
        parts = _PLACEHOLDER.split(source)
        pieces, forms, marks = parts[0::3], parts[1::3], parts[2::3]
        if unknown := set(forms) - set(FORMS):
            raise ValueError(f"the caption template {source!r} has unknown forms: {sorted(unknown)}")
        slots = tuple(
            Slot(form, mark == "!", piece.endswith("<a> "))
            for piece, form, mark in zip(pieces, forms, marks, strict=False)
        )
        return Template(tuple(pieces), slots)


@dataclass(frozen=True)
class PresetWords:
    """A preset of the page in other words. parts: (form, word) that it is composed of; captions by split."""

    parts: tuple[tuple[str, str], ...]
    captions: Mapping[CaptionSplit, tuple[str, ...]]


@dataclass(frozen=True)
class Lexicon:
    """Everything captions are made of. words and intensities by form; templates by split."""

    words: Mapping[str, tuple[Word, ...]]
    intensities: Mapping[str, Mapping[str, float]]
    negation: float
    templates: Mapping[CaptionSplit, tuple[Template, ...]]
    presets: Mapping[str, PresetWords]
    stop_words: frozenset[str]
    reserved: frozenset[str]

    def trained_words(self) -> frozenset[str]:
        """Every single word that a training caption can contain."""
        return frozenset(token for text in self._trained_texts() for token in prompt_words(text))

    def fillers(self) -> list[str]:
        """Words of training captions that mean nothing wherever they stand; so not those that intensify alone."""
        alone = {pattern.replace("%", "").strip() for patterns in self.intensities.values() for pattern in patterns}
        return sorted((self.stop_words & self.trained_words()) - alone)

    def _trained_texts(self) -> Iterator[str]:
        yield "an"
        for words in self.words.values():
            yield from (word.text for word in words if not word.held_out)
        for patterns in self.intensities.values():
            yield from (pattern.replace("%", "") for pattern in patterns)
        for template in self.templates["train"]:
            yield from (piece.replace("<a>", "a") for piece in template.pieces)
        for prompt, preset in self.presets.items():
            yield prompt
            yield from preset.captions["train"]


def compose(contributions: np.ndarray) -> np.ndarray:
    """Axis values of words heard together: [..., words, 7] -> [..., 7].

    Per axis the root of the summed squares of what pulls up minus the same of what pulls down, within the limits of
    `AXES`: "soft and gentle" is softer than "soft", but not twice as soft.
    """
    up = np.sqrt(np.square(np.clip(contributions, 0, None)).sum(axis=-2))
    down = np.sqrt(np.square(np.clip(contributions, None, 0)).sum(axis=-2))
    return np.clip(up - down, MINIMA, MAXIMA)


@lru_cache(maxsize=1)
def load_lexicon() -> Lexicon:
    """The lexicon of presets/lexicon.yaml. Raises ValueError where the file contradicts itself."""
    content = read_yaml(PRESETS / "lexicon.yaml")
    presets = {
        prompt: PresetWords(
            tuple(part for entry in entries["words"] for part in entry.items()),
            {split: tuple(entries[split]) for split in ("train", "test", "unseen_words")},
        )
        for prompt, entries in content["presets"].items()
    }
    held_back = [preset.captions["test"] + preset.captions["unseen_words"] for preset in presets.values()]
    templates = {split: tuple(Template.parse(t) for t in content["templates"][split]) for split in ("train", "test")}
    return Lexicon(
        words=_words(
            content["concepts"], frozenset(stem for word in content["held_out_words"] for stem in stems(word))
        ),
        intensities=content["intensities"],
        negation=float(content["negation"]),
        templates={"train": templates["train"], "test": templates["test"], "unseen_words": templates["test"]},
        presets=presets,
        stop_words=frozenset(content["stop_words"].split()),
        reserved=frozenset(" ".join(prompt_words(text)) for texts in held_back for text in texts),
    )


def _words(concepts: Mapping[str, Mapping[str, Any]], held_out: frozenset[str]) -> dict[str, tuple[Word, ...]]:
    """The words of each form; a word with a stem of `held_out` is kept from training.

    A word stands for one concept only in each form; two would contradict each other.
    """
    found: dict[str, list[Word]] = {form: [] for form in FORMS}
    for concept, entries in concepts.items():
        axes = np.array([entries["axes"].get(name, 0.0) for name in AXES], dtype=float)
        if unknown := set(entries["axes"]) - set(AXES) | set(entries) - {"axes", *FORMS}:
            raise ValueError(f"the concept {concept!r} of the lexicon has unknown keys: {sorted(unknown)}")
        for form in FORMS:
            for text, weight in entries.get(form, {}).items():
                is_held_out = any(not held_out.isdisjoint(stems(token)) for token in prompt_words(text))
                found[form].append(Word(text, form, concept, weight * axes, is_held_out))
    for form, words in found.items():
        if len({word.text for word in words}) < len(words):
            raise ValueError(f"the lexicon lists a word of the form {form!r} twice")
    return {form: tuple(words) for form, words in found.items()}
