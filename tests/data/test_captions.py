"""Captions mean what their words say, and what is held out stays out."""

from __future__ import annotations

import numpy as np
import pytest

from latent_edit.axes import AXES
from latent_edit.config import load_styles
from latent_edit.data.captions import HELD_OUT_PAIRS, describe, preset_caption, sample_pair
from latent_edit.data.styles import Style, style_of
from latent_edit.prompts.lexicon import FLOORS, MAXIMA, MINIMA, Template, compose, load_lexicon
from latent_edit.prompts.words import prompt_words, split_known


def axes_of(**values: float) -> np.ndarray:
    return Style(**values).as_array().astype(float)


def known() -> frozenset[str]:
    return load_lexicon().trained_words() | load_lexicon().stop_words


def test_lexicon_is_wide() -> None:
    words = [word for words in load_lexicon().words.values() for word in words if not word.held_out]
    assert len({word.text for word in words}) > 800
    assert sum(word.held_out for words in load_lexicon().words.values() for word in words) > 40


@pytest.mark.parametrize("prompt", list(load_styles()))
def test_words_of_a_preset_compose_to_the_preset(prompt: str) -> None:
    lexicon = load_lexicon()
    meaning = {(form, word.text): word.axes for form, words in lexicon.words.items() for word in words}
    composed = compose(np.stack([meaning[part] for part in lexicon.presets[prompt].parts]))
    assert np.abs((composed - axes_of(**load_styles()[prompt])) / FLOORS).max() < 0.25


def test_presets_of_lexicon_and_styles_are_the_same() -> None:
    assert set(load_lexicon().presets) == set(load_styles())


def test_two_words_for_one_thing_do_not_double_it() -> None:
    word = axes_of(level_db=4.0)
    together = compose(np.stack([word, word]))[list(AXES).index("level_db")]
    assert 4.0 < together < 8.0
    assert compose(np.stack([word, -word])).tolist() == [0.0] * len(AXES)
    assert compose(np.stack([10 * word]))[list(AXES).index("level_db")] == AXES["level_db"].maximum


@pytest.mark.parametrize(
    ("template", "words", "expected"),
    [
        ("{a} {adj} voice", ["angry"], "an angry voice"),
        ("in {a} {adj}, {adj} voice", ["loud", "old"], "in a loud, old voice"),
        ("like {a} {adj} {role}", ["old", "robot"], "like an old robot"),
    ],
)
def test_articles(template: str, words: list[str], expected: str) -> None:
    from latent_edit.data.captions import Term, _written

    terms = [Term(load_lexicon().words["adj"][0], word, np.zeros(len(AXES))) for word in words]
    assert _written(Template.parse(template), terms) == expected


def test_unknown_form_in_a_template_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown forms"):
        Template.parse("{noun} please")


def test_sampling_is_reproducible_and_varied() -> None:
    def draw(seed: int) -> list[tuple[Style, str]]:
        generator = np.random.default_rng(seed)
        return [sample_pair(generator) for _ in range(50)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert len({text for _, text in draw(1)}) > 45


def test_sampled_styles_stay_within_the_axes() -> None:
    generator = np.random.default_rng(0)
    values = np.stack([sample_pair(generator)[0].as_array() for _ in range(200)])
    assert (values >= MINIMA - 1e-5).all() and (values <= MAXIMA + 1e-5).all()
    assert (values != 0).any(axis=0).all()


def test_training_captions_contain_nothing_that_is_held_out() -> None:
    lexicon = load_lexicon()
    generator = np.random.default_rng(3)
    held_out = {word.text for words in lexicon.words.values() for word in words if word.held_out}
    trained = lexicon.trained_words()
    texts = [sample_pair(generator)[1] for _ in range(1500)]
    texts += [preset_caption(prompt, generator) for prompt in lexicon.presets for _ in range(10)]
    for text in texts:
        words = prompt_words(text)
        assert " ".join(words) not in lexicon.reserved
        assert held_out.isdisjoint(words), text
        assert split_known(text, trained)[1] == [], text


def test_held_out_combinations_meet_in_test_only() -> None:
    from latent_edit.data import captions

    generator = np.random.default_rng(5)
    concepts = sorted({word.concept for words in load_lexicon().words.values() for word in words})
    pairs = [(a, b) for a in concepts for b in concepts if a < b]
    held_out = [pair for pair in pairs if captions._is_held_out(*pair)]
    assert 0.5 < HELD_OUT_PAIRS * len(held_out) / len(pairs) < 1.5

    def meetings(split: captions.CaptionSplit) -> list[bool]:
        found = []
        original = captions._written

        def record(template: Template, terms: list[captions.Term]) -> str:
            if len(terms) > 1:
                names = [term.word.concept for term in terms]
                found.append(any(captions._is_held_out(a, b) for i, a in enumerate(names) for b in names[:i]))
            return original(template, terms)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(captions, "_written", record)
            for _ in range(60):
                sample_pair(generator, split)
        return found

    assert not any(meetings("train"))
    assert all(meetings("test"))


def test_templates_of_training_and_test_differ() -> None:
    templates = load_lexicon().templates
    assert not set(templates["train"]) & set(templates["test"])


def test_unseen_words_are_unknown_and_test_words_known() -> None:
    generator = np.random.default_rng(7)
    assert all(split_known(sample_pair(generator, "unseen_words")[1], known())[1] for _ in range(60))
    assert not any(split_known(sample_pair(generator, "test")[1], known())[1] for _ in range(60))
    for preset in load_lexicon().presets.values():
        assert not any(split_known(text, known())[1] for text in preset.captions["test"])
        assert all(split_known(text, known())[1] for text in preset.captions["unseen_words"])


@pytest.mark.parametrize("prompt", [prompt for prompt, axes in load_styles().items() if axes])
def test_a_description_says_what_the_style_is(prompt: str) -> None:
    """Among the descriptions of all presets those of this one compose to what is nearest to it."""
    from latent_edit.data import captions

    target = Style.named(prompt)
    drafts: dict[str, np.ndarray] = {}
    original = captions._draft

    def record(*arguments: object) -> captions.Draft:
        draft = original(*arguments)  # type: ignore[arg-type]
        drafts[draft.text] = draft.axes
        return draft

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(captions, "_draft", record)
        text = describe(target, np.random.default_rng(0))
    wanted = target.as_array() / FLOORS
    assert np.linalg.norm(drafts[text] / FLOORS - wanted) < 0.6 * np.linalg.norm(wanted)


def test_no_change_is_described_as_none() -> None:
    texts = [describe(Style(), np.random.default_rng(seed)) for seed in range(5)]
    neutral = {w for word in load_lexicon().words["adj"] if word.concept == "neutral" for w in prompt_words(word.text)}
    assert any(neutral & set(prompt_words(text)) for text in texts)


def test_small_values_become_exact_zeros() -> None:
    assert style_of(np.full(len(AXES), 1e-4)) == Style()


def test_words_of_a_prompt() -> None:
    assert prompt_words("Don't SHOUT, café-style!") == ["dont", "shout", "cafe", "style"]


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("a whisper", []),
        ("An ANGRY shout!", []),
        ("whispers, sobbing and the angriest tones", []),
        ("like a flabbergasted zebra, flabbergasted", ["flabbergasted", "zebra"]),
        ("king-size", ["size"]),
    ],
)
def test_unknown_words(prompt: str, unknown: list[str]) -> None:
    assert split_known(prompt, known())[1] == unknown


def test_an_unlearnt_inflection_is_read_as_its_known_relative() -> None:
    assert split_known("the angriest", {"the", "angry", "angle"})[0] == ["the", "angry"]


def test_fillers_mean_nothing_and_are_in_captions() -> None:
    lexicon = load_lexicon()
    fillers = set(lexicon.fillers())
    assert {"the", "as", "well", "and"} <= fillers <= lexicon.trained_words()
    assert not fillers & {"very", "really", "so", "not", "no", "without", "less", "loud"}
