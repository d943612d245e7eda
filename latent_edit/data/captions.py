"""Captions: what a person might type for a style: templates x words x intensities x negation (presets/lexicon.yaml).

Two directions. `sample_pair` draws words and adds up what they mean: style and caption agree by construction.
`describe` searches words for a given style: for natural variation that was measured, and for styles drawn at random.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

import numpy as np

from latent_edit.data.styles import Style, style_of
from latent_edit.prompts.lexicon import FLOORS, CaptionSplit, Slot, Template, Word, compose, load_lexicon
from latent_edit.prompts.words import prompt_words

HELD_OUT_PAIRS = 8  # one of so many pairs of concepts never meets in a training caption
WORD_COUNTS = (0.4, 0.4, 0.2)  # shares of captions that compose one, two and three words
NEGATED_SHARE = 0.2  # of captions from templates that deny something
PLAIN_SHARE = 0.6  # of words that come without a word of intensity
OWN_NAME_SHARE = 0.5  # of training captions of a preset that are its own name
# `describe`: drafts for each number of words; how many candidates compete for a place, from how many nearest ones it is
# drawn; what a word costs and how much nearer one without an intensity counts, in squared floors.
DRAFTS, CANDIDATES, NEAREST, WORD_COST, PLAIN_BONUS = 2, 1500, 4, 0.4, 0.4
ATTEMPTS = 500
NEUTRAL_WITH_OTHERS = ("verb", "doing")  # "speak angrily" makes sense, "normal and angry" does not
OPPOSITE = -0.9  # cosine below which two words contradict each other


@dataclass(frozen=True)
class Term:
    """A word as it stands in a caption. text: with its intensity ("very angry"); axes: its contribution, [7]."""

    word: Word
    text: str
    axes: np.ndarray


@dataclass(frozen=True)
class Draft:
    """A finished caption and the terms it was made of."""

    text: str
    terms: tuple[Term, ...]

    @property
    def axes(self) -> np.ndarray:
        """What the caption means, [7] in the units of `AXES`."""
        return compose(np.stack([term.axes for term in self.terms]))


Choose = Callable[[Slot, list[Term]], "Term | None"]
ItemT = TypeVar("ItemT")


def sample_pair(generator: np.random.Generator, split: CaptionSplit = "train") -> tuple[Style, str]:
    """A random caption and the style that its words compose."""

    def choose(slot: Slot, earlier: list[Term]) -> Term | None:
        # Concepts first, so that one with many synonyms is not asked for more often.
        by_concept = _by_concept(slot, split if not earlier else _later(split))
        concepts = [
            concept
            for concept, terms in by_concept.items()
            if _may_join(terms[0], earlier, split) and (not earlier or _is_new(terms[0], earlier, split))
        ]
        if not concepts:
            return None
        terms = by_concept[_one_of(concepts, generator)]
        term = _one_of(terms, generator)
        plain = generator.random() < PLAIN_SHARE
        return next(t for t in terms if t.text == term.word.text) if plain else term

    count = 1 + int(generator.choice(len(WORD_COUNTS), p=WORD_COUNTS))
    draft = _draft(choose, count, generator, split)
    return style_of(draft.axes), draft.text


def describe(style: Style, generator: np.random.Generator, split: CaptionSplit = "train") -> str:
    """A caption for given axis values: the closest of a few drafts, each filled with words near the best."""
    target = style.as_array().astype(float) / FLOORS

    def distance(axes: np.ndarray) -> np.ndarray:
        return np.square(compose(axes) / FLOORS - target).sum(axis=-1)

    def choose(slot: Slot, earlier: list[Term]) -> Term | None:
        terms, axes = _candidates(slot, split if not earlier else _later(split))
        if not terms:
            return None
        drawn = generator.choice(len(terms), min(len(terms), CANDIDATES), replace=False)
        before = [np.broadcast_to(term.axes, axes[drawn].shape) for term in earlier]
        plain = np.array([terms[i].text == terms[i].word.text for i in drawn])
        order = np.argsort(distance(np.stack([*before, axes[drawn]], axis=1)) - PLAIN_BONUS * plain, kind="stable")
        nearest = [t for t in (terms[drawn[i]] for i in order[: 10 * NEAREST]) if _may_join(t, earlier, split)]
        return _one_of(nearest[:NEAREST], generator) if nearest else None

    def cost(draft: Draft) -> float:
        return float(distance(np.stack([term.axes for term in draft.terms]))) + WORD_COST * len(draft.terms)

    most = int(np.clip((np.abs(target) > 0.8).sum(), 1, len(WORD_COUNTS)))
    drafts = [_draft(choose, count, generator, split) for count in range(1, most + 1) for _ in range(DRAFTS)]
    return min(drafts, key=cost).text


def preset_caption(prompt: str, generator: np.random.Generator, split: CaptionSplit = "train") -> str:
    """A preset of the page in somebody's words; in training half of the time in its own."""
    if split == "train" and generator.random() < OWN_NAME_SHARE:
        return prompt
    return _one_of(load_lexicon().presets[prompt].captions[split], generator)


def _draft(choose: Choose, count: int, generator: np.random.Generator, split: CaptionSplit) -> Draft:
    """One caption of `count` words: a template at random, its slots filled from left to right."""
    for _ in range(ATTEMPTS):
        template = _one_of(_templates(split, count, bool(generator.random() < NEGATED_SHARE)), generator)
        terms: list[Term] = []
        for slot in template.slots:
            if (term := choose(slot, terms)) is None:
                break
            terms.append(term)
        else:
            text = _written(template, terms)
            if split != "train" or " ".join(prompt_words(text)) not in load_lexicon().reserved:
                return Draft(text, tuple(terms))
    raise ValueError(f"the lexicon has no words for {split} captions of {count} words")


@lru_cache(maxsize=32)
def _templates(split: CaptionSplit, count: int, negated: bool) -> tuple[Template, ...]:
    """Templates of `count` slots that deny something or do not; where there are none, all of that many slots."""
    fitting = tuple(t for t in load_lexicon().templates[split] if len(t.slots) == count)
    return tuple(t for t in fitting if any(s.negated for s in t.slots) == negated) or fitting


@lru_cache(maxsize=128)
def _candidates(slot: Slot, split: CaptionSplit) -> tuple[tuple[Term, ...], np.ndarray]:
    """Everything that can stand in a slot, and its contributions [N, 7]."""
    lexicon = load_lexicon()
    patterns = {"%": 1.0, **({} if slot.negated else lexicon.intensities.get(slot.form, {}))}
    if slot.article:  # "a very angry voice", but not "an a bit angry voice"
        patterns = {p: factor for p, factor in patterns.items() if not p.startswith(("a ", "as ", "so "))}
    sign = lexicon.negation if slot.negated else 1.0
    terms = tuple(
        Term(word, pattern.replace("%", word.text), sign * factor * word.axes)
        for word in lexicon.words[slot.form]
        if word.held_out == (split == "unseen_words") and not (slot.negated and word.concept == "neutral")
        for pattern, factor in patterns.items()
    )
    return terms, np.stack([term.axes for term in terms]) if terms else np.zeros((0, FLOORS.size))


@lru_cache(maxsize=128)
def _by_concept(slot: Slot, split: CaptionSplit) -> dict[str, tuple[Term, ...]]:
    """The candidates of a slot, by concept."""
    terms, _ = _candidates(slot, split)
    return {
        concept: tuple(t for t in terms if t.word.concept == concept)
        for concept in sorted({t.word.concept for t in terms})
    }


def _later(split: CaptionSplit) -> CaptionSplit:
    """Words after the first: one unseen word is enough for a caption with unseen words."""
    return "test" if split == "unseen_words" else split


def _may_join(term: Term, earlier: list[Term], split: CaptionSplit) -> bool:
    """Whether a term goes with those before it: another concept, no contradiction, no held-out pair in training."""
    for other in earlier:
        concepts = (term.word.concept, other.word.concept)
        if concepts[0] == concepts[1] or (split == "train" and _is_held_out(*concepts)):
            return False
        neutral = [t for t in (term, other) if t.word.concept == "neutral"]
        if any(t.word.form not in NEUTRAL_WITH_OTHERS for t in neutral):
            return False
        first, second = term.axes / FLOORS, other.axes / FLOORS
        if first @ second < OPPOSITE * np.linalg.norm(first) * np.linalg.norm(second) - 1e-9:
            return False
    return True


def _is_new(term: Term, earlier: list[Term], split: CaptionSplit) -> bool:
    """Test captions combine what training never combined."""
    return split != "test" or any(_is_held_out(term.word.concept, other.word.concept) for other in earlier)


def _is_held_out(one: str, other: str) -> bool:
    """Whether two concepts are kept apart in training: by a hash, the same everywhere and for ever."""
    return zlib.crc32(" ".join(sorted((one, other))).encode()) % HELD_OUT_PAIRS == 0


def _written(template: Template, terms: list[Term]) -> str:
    """The caption as text, with "a" or "an" as the next word asks for."""
    filled = "".join(piece + term.text for piece, term in zip(template.pieces, terms, strict=False))
    text = filled + template.pieces[-1]
    return re.sub(r"<a> (?=(\w))", lambda match: "an " if match.group(1) in "aeiou" else "a ", text)


def _one_of(items: Sequence[ItemT], generator: np.random.Generator) -> ItemT:
    return items[int(generator.integers(len(items)))]
