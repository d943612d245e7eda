"""The prompts and sentences of the evaluation were never seen in training."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from latent_edit.axes import AXES
from latent_edit.config import PRESETS, load_styles, read_yaml
from latent_edit.data import captions
from latent_edit.data.splits import split_of
from latent_edit.data.styles import Style, style_of
from latent_edit.evaluation.effects import free_prompts
from latent_edit.prompts.lexicon import Template, Word, compose, load_lexicon

PROMPTS = list(free_prompts())


def fillings(template: Template, text: str) -> list[tuple[captions.Term, ...]]:
    """Every way in which known words, with or without intensities, make `text` from a template."""
    slots = [captions._candidates(slot, "train")[0] for slot in template.slots]
    pieces = [re.escape(piece).replace("<a>", "an?") for piece in template.pieces]
    pattern = "".join(
        piece + group for piece, group in itertools.zip_longest(pieces, ["(.+)"] * len(slots), fillvalue="")
    )
    match = re.fullmatch(pattern, text)
    if match is None:
        return []
    terms = [[t for t in slot if t.text == found] for slot, found in zip(slots, match.groups(), strict=True)]
    return list(itertools.product(*terms))


def fit(prompt: str, split: str) -> list[tuple[captions.Term, ...]]:
    return [terms for template in load_lexicon().templates[split] for terms in fillings(template, prompt)]


def test_there_are_24() -> None:
    assert len(PROMPTS) == len(set(PROMPTS)) == 24
    assert not set(PROMPTS) & set(load_styles())


def test_the_search_finds_a_training_caption() -> None:
    """Or the proofs below would prove nothing."""
    found = fit("in a very angry and loud tone", "train")
    assert [[term.text for term in terms] for terms in found] == [["very angry", "loud"]]
    assert fit("in a very angry and loud tone", "test") == []


@pytest.mark.parametrize("prompt", PROMPTS)
def test_no_training_template_makes_it(prompt: str) -> None:
    assert fit(prompt, "train") == []
    lexicon = load_lexicon()
    assert all(prompt not in (name, *preset.captions["train"]) for name, preset in lexicon.presets.items())


@pytest.mark.parametrize("prompt", PROMPTS)
def test_its_words_are_known_and_never_met_in_training(prompt: str) -> None:
    (terms, *others) = fit(prompt, "test")
    assert others == []
    words: list[Word] = [term.word for term in terms]
    assert len(words) == 2
    assert not any(word.held_out for word in words)
    assert captions._is_held_out(words[0].concept, words[1].concept)
    assert not captions._may_join(terms[1], [terms[0]], "train")


@pytest.mark.parametrize("prompt", PROMPTS)
def test_its_axes_are_what_the_words_mean(prompt: str) -> None:
    (terms,) = fit(prompt, "test")
    meant = style_of(compose(np.stack([term.axes for term in terms])))
    stated = Style(**free_prompts()[prompt])
    assert stated.as_array() == pytest.approx(meant.as_array(), abs=0.0051)
    assert any(abs(getattr(stated, name)) >= axis.floor for name, axis in AXES.items())


def test_sentences_are_held_out() -> None:
    lists = read_yaml(PRESETS / "sentences.yaml")
    assert all(len(own) == len(set(own)) == 20 for own in lists.values())
    assert {split_of(text) for own in lists.values() for text in own} == {"test"}
