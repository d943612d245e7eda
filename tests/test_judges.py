"""The judges: arithmetic of word errors, and that recogniser and speaker encoder are asked fairly."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

pytest.importorskip("pocketsphinx")
pytest.importorskip("jiwer")

from synthetic_speech import speech_like
from tiny_voices import RATE, buzz, tiny_speech, tiny_voice

from latent_edit.editor import LatentEditor
from latent_edit.evaluation import validation
from latent_edit.evaluation.validation import validation_word_errors
from latent_edit.judges import (
    MOONSHINE,
    installed,
    median_f0,
    naturalness_distillmos,
    recognise,
    recognise_moonshine,
    speaker_embedding,
    word_error_rate,
    word_errors,
    words,
)


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors", "length"),
    [
        ("The cat sat.", "the cat sat", 0, 3),
        ("The cat sat on the mat.", "the cat sat mat", 2, 6),
        ("The cat sat", "the cat sat on it", 2, 3),
        ("The cat sat", "a cat spat", 2, 3),
        ("The cat sat", "", 3, 3),
        ("", "the cat", 2, 0),
        ("", "", 0, 0),
        ("Don’t go, Tom!", "don't go tom", 0, 3),
        ("He has 7 dogs.", "he has seven dogs", 0, 4),
        ("The promoter's 3rd harbour, in 2,000 colours", "the promoters third harbor in two thousand colors", 0, 8),
        ("one two three four", "two three four five", 2, 4),
    ],
)
def test_word_errors(reference: str, hypothesis: str, errors: int, length: int) -> None:
    assert word_errors(reference, hypothesis) == (errors, length)


def test_the_rate_weighs_words_not_sentences() -> None:
    pairs = [("a b c d e f g h", "a b c d e f g h"), ("no", "yes"), ("", "noise")]
    assert word_error_rate(pairs) == pytest.approx(2 / 9)
    assert word_error_rate([("short", "much too long an answer")]) == 5.0
    assert word_error_rate([]) is None
    assert word_error_rate([("...", "noise")]) is None


def test_words() -> None:
    assert words("To-morrow, not to-day.") == words("Tomorrow, not today.")
    assert words("Well, 3 dogs & 19 cats; 250 mice – isn't it?") == [
        "well", "three", "dogs", "nineteen", "cats", "two", "hundred", "and", "fifty", "mice", "isnt", "it",
    ]  # fmt: skip


RECOGNISERS = [
    recognise,
    pytest.param(
        recognise_moonshine,
        marks=pytest.mark.skipif(not installed(MOONSHINE), reason="moonshine-voice 0.0.49: Linux x86-64 only"),
    ),
]


@pytest.mark.parametrize("recognise", RECOGNISERS)
@pytest.mark.parametrize("samples", [0, 1, 16_000])
@pytest.mark.parametrize("rate", [16_000, 22_050])
def test_nothing_is_heard_in_silence(samples: int, rate: int, recognise: Callable[..., str]) -> None:
    assert recognise(np.zeros(samples, dtype=np.float32), rate) == ""


def test_the_median_f0_is_in_hertz() -> None:
    pytest.importorskip("swift_f0")
    low, high = (median_f0(speech_like(1.0, pitch=pitch), RATE) for pitch in (120.0, 180.0))
    assert low == pytest.approx(120, rel=0.12)
    assert high is not None and low is not None and high / low == pytest.approx(1.5, rel=0.03)
    assert median_f0(np.zeros(RATE, np.float32), RATE) is None
    assert median_f0(np.zeros(0, np.float32), RATE) is None


@pytest.mark.shipped
def test_noise_is_less_natural_to_the_second_judge_of_quality(shipped_editor: LatentEditor) -> None:
    pytest.importorskip("distillmos")
    clean = shipped_editor.say("The weather will be fine tomorrow.", "kathleen").waveform.item(0).numpy()
    noisy = clean + 0.05 * np.random.default_rng(0).standard_normal(clean.size).astype(np.float32)
    assert 1.0 < naturalness_distillmos(noisy, RATE) < naturalness_distillmos(clean, RATE) < 5.0
    assert naturalness_distillmos(np.zeros(0, np.float32), RATE) is None


@pytest.mark.shipped
@pytest.mark.parametrize("recognise", RECOGNISERS)
def test_the_words_of_every_voice_are_heard(shipped_editor: LatentEditor, recognise: Callable[..., str]) -> None:
    text = "The weather will be fine tomorrow."
    readings = [shipped_editor.say(text, voice).waveform.item(0).numpy() for voice in shipped_editor.voices]
    rate = word_error_rate([(text, recognise(reading, RATE)) for reading in readings])
    assert rate is not None and rate < 0.1


def test_words_are_heard_whatever_the_level_and_whatever_came_before() -> None:
    sound = buzz(0.8, 120)
    heard = recognise(sound, RATE)
    assert heard == " ".join(words(heard))
    recognise(buzz(0.5, 240, seed=1), RATE)
    assert recognise(0.01 * sound, RATE) == heard
    assert recognise(8 * sound, RATE) == heard


def test_speaker_embeddings_have_unit_norm_and_ignore_the_level() -> None:
    pytest.importorskip("resemblyzer")
    one, loud, other = (
        speaker_embedding(gain * buzz(1.6, f), RATE) for gain, f in ((0.1, 110), (1.0, 110), (1.0, 240))
    )
    assert one.shape == (256,)
    assert np.linalg.norm(one) == pytest.approx(1.0, abs=1e-5)
    assert one @ loud > 0.98
    assert one @ loud > one @ other


def test_the_voice_is_judged_on_sentences_of_every_speaker(monkeypatch: pytest.MonkeyPatch) -> None:
    speech = tiny_speech(14)
    speech.speakers[:] = ["anna"] * 10 + ["ben"] * 4
    asked: list[np.ndarray] = []

    def hear(samples: np.ndarray, rate: int) -> str:
        assert rate == RATE
        asked.append(samples)
        return "hi" if len(asked) % 2 else ""  # copies are understood where they say "hi", readings never

    monkeypatch.setattr(validation, "recognise", hear)
    voice = tiny_voice().train()
    before = {name: tensor.clone() for name, tensor in voice.state_dict().items()}
    figures = validation_word_errors(speech)(voice)
    chosen = [0, 10, 1, 11, 2, 12, 3, 13]
    assert [len(samples) for samples in asked[::2]] == [speech.lengths[i] // 256 * 256 for i in chosen]
    reference = [words(speech.texts[i]) for i in chosen]
    wrong = sum(0 if said == ["hi"] else len(said) for said in reference)
    assert figures == {"wer_copy": pytest.approx(wrong / sum(map(len, reference))), "wer_say": 1.0}
    assert voice.training
    assert all(torch.equal(before[name], tensor) for name, tensor in voice.state_dict().items())
    assert validation_word_errors(tiny_speech(2))(voice).keys() == {"wer_copy", "wer_say"}


def test_without_held_out_sentences_nothing_is_measured() -> None:
    empty = tiny_speech(2)
    for values in (empty.texts, empty.speakers, empty.ids):
        values.clear()
    assert validation_word_errors(empty)(tiny_voice()) == {}
