"""Emotion judges are fitted on other people, and what they cannot hear is excluded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")
pytest.importorskip("swift_f0")

from synthetic_speech import speech_like

from latent_edit.errors import InputError
from latent_edit.evaluation.emotion import EMOTION_OF, KINDS, Kind, fit, read_acted
from latent_edit.evaluation.emotion_features import POINTS, contour_shape, functionals

RATE = 16_000
KIND = Kind("functionals", ("angry", "sad"), 1.0)
ACTORS = [f"actor{number}" for number in range(10)]


class Takes:
    """Scores of made-up takes: `heard(actor, emotion)` gives what a take's features are."""

    def __init__(self, heard: Any) -> None:
        self.heard = heard

    def compute(self, *_: object) -> None:
        """Nothing to prepare."""

    def score(self, _: str, clip: Any) -> list[float] | None:
        return self.heard(clip.voice, clip.path.stem.split("-")[1])


@pytest.fixture
def acted(tmp_path: Path) -> Path:
    rows = [
        f"{actor}-{style}-{sentence}.wav,{actor},{sentence},words of {sentence},{style}"
        for actor in ACTORS
        for sentence in ("a", "b")
        for style in ("neutral", "angry", "sad")
    ]
    rows.append("actor0-sad-c.wav,actor0,c,no neutral take of this,sad")
    (tmp_path / "manifest.csv").write_text("file,speaker,sentence,text,style\n" + "\n".join(rows) + "\n")
    return tmp_path


def test_takes_without_a_neutral_one_are_left_out(acted: Path) -> None:
    pairs = read_acted(acted)
    assert len(pairs) == 40
    assert all(pair.neutral[0].voice == pair.take.voice and pair.neutral[0].text == pair.take.text for pair in pairs)


def test_what_all_actors_do_alike_is_recognised(acted: Path) -> None:
    offset = {name: float(place) for place, name in enumerate(ACTORS)}
    change = {"neutral": 0.0, "angry": 2.0, "sad": -2.0}
    scores: Any = Takes(lambda actor, style: [100 * offset[actor] + change[style], 1.0])
    judge = fit(scores, read_acted(acted), KIND)
    assert judge.accuracy.value == 1.0 and len(judge.classifiers) == 10
    pair = next(pair for pair in read_acted(acted) if pair.emotion == "sad")
    assert judge.hears(scores, pair.neutral[0], pair.take) == "sad"
    silent: Any = Takes(lambda *_: None)
    assert judge.hears(silent, pair.neutral[0], pair.take) is None


def test_no_actor_is_judged_by_what_was_learnt_from_him(acted: Path) -> None:
    """Every actor has a way of his own, the opposite of his neighbour's: it says nothing about the others."""

    def heard(actor: str, style: str) -> list[float]:
        features = np.zeros(len(ACTORS))
        features[ACTORS.index(actor)] = {"neutral": 0.0, "angry": 1.0, "sad": -1.0}[style] * (-1) ** ACTORS.index(actor)
        return features.tolist()

    scores: Any = Takes(heard)
    assert (fit(scores, read_acted(acted), KIND).accuracy.value or 0.0) <= 0.6


def test_too_few_actors_are_refused(acted: Path, tmp_path: Path) -> None:
    few = [pair for pair in read_acted(acted) if pair.take.voice in ACTORS[:4]]
    scores: Any = Takes(lambda *_: [0.0])
    with pytest.raises(InputError, match="5 actors"):
        fit(scores, few, KIND)
    with pytest.raises(InputError, match="--acted"):
        read_acted(tmp_path / "nowhere")


def test_prompts_ask_for_every_emotion_that_can_be_judged() -> None:
    assert set(KINDS["functionals"].emotions) == set(EMOTION_OF.values())


def test_level_says_nothing() -> None:
    speech = speech_like(1.5)
    for features in (functionals, contour_shape):
        loud, soft = features(speech, RATE), features(0.1 * speech, RATE)
        assert loud == pytest.approx(soft, abs=0.01)
        assert features(np.zeros(RATE, np.float32), RATE) is None


def test_a_shape_has_neither_median_nor_range_nor_length() -> None:
    shape = contour_shape(speech_like(1.5), RATE)
    assert shape is not None and shape.shape == (3 * POINTS,)
    for contour in shape.reshape(3, POINTS):
        assert contour.mean() == pytest.approx(0.0, abs=1e-6)
        assert contour.std() == pytest.approx(1.0, abs=1e-6) or not contour.any()


def test_functionals_hear_a_higher_voice() -> None:
    low, high = (functionals(speech_like(1.5, pitch=pitch), RATE) for pitch in (120.0, 240.0))
    assert high is not None and low is not None
    assert high[2] - low[2] == pytest.approx(12.0, abs=0.5)
