"""The test set is new: neither training captions nor the development set have its prompts, nor its sentences."""

from __future__ import annotations

from latent_edit.axes import AXES
from latent_edit.config import load_styles, preset_prompts
from latent_edit.data.splits import sentence_key
from latent_edit.data.styles import Style
from latent_edit.evaluation.effects import (
    free_prompts,
    held_back_prompts,
    judged_styles,
    named_effects,
)
from latent_edit.evaluation.plan import new_prompts, paraphrases, sentences
from latent_edit.prompts.lexicon import load_lexicon

TEXTS = [*paraphrases("test"), *new_prompts("test")]


def test_no_prompt_is_known() -> None:
    lexicon = load_lexicon()
    known = {*load_styles(), *free_prompts()}
    for preset in lexicon.presets.values():
        known |= {text for texts in preset.captions.values() for text in texts}
    known |= {word.text for words in lexicon.words.values() for word in words}
    assert len(TEXTS) == len(set(TEXTS))
    assert not {text.lower() for text in TEXTS} & {text.lower() for text in known}


def test_every_preset_has_two_paraphrases_in_both_sets() -> None:
    assert held_back_prompts()["paraphrases"].keys() == set(preset_prompts())
    for split in ("development", "test"):
        rules = list(paraphrases(split).values())  # type: ignore[arg-type]
        assert {rules.count(prompt) for prompt in set(rules)} == {2} and len(set(rules)) == 11


def test_new_prompts_ask_for_something_that_can_be_judged() -> None:
    for prompt in new_prompts("test"):
        style: Style = judged_styles()[prompt]
        assert named_effects(style)
        assert all(axis.minimum <= getattr(style, name) <= axis.maximum for name, axis in AXES.items())


def test_sentences_are_new_and_the_same_in_every_voice() -> None:
    test = sentences("kathleen", "test")
    assert test == sentences("sam_a", "test") and len(test) == len(set(test)) == 12
    development = {
        sentence_key(text) for voice in ("kathleen", "sam_a", "sam_b", "robotutor") for text in sentences(voice)
    }
    assert not {sentence_key(text) for text in test} & development
