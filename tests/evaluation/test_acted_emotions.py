"""Emotions are heard by judges who know none of the actors that an edit has learnt from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from latent_edit.axes import PACE
from latent_edit.data.acted_rhythm import SharedSound
from latent_edit.data.takes import TakePair
from latent_edit.editor import LatentEditor
from latent_edit.errors import InputError
from latent_edit.evaluation import acted_emotions
from latent_edit.evaluation.acted_emotions import Fold, WithManners, emotion_rows, folds
from latent_edit.evaluation.clips import Edit
from latent_edit.evaluation.controls import DEFAULT
from latent_edit.evaluation.emotion import ACTORS, KINDS, ActedPair, EmotionJudge
from latent_edit.evaluation.plan import QUICK, make_plan
from latent_edit.evaluation.statistics import Estimate
from latent_edit.manners import load_manners
from latent_edit.request import EditRequest


class Bench:
    """Scores that say nothing but what an emotion judge needs: edits with manners change."""

    def score(self, judge: str, clip: Any) -> Any:
        if judge == "moonshine":
            return clip.text
        if judge == "speaker":
            return [1.0, 0.0]
        if judge in ("functionals", "contour_shape"):
            return [5.0] if isinstance(clip, WithManners) else [0.0]
        return 3.0


class Nearest:
    classes_ = np.array(["angry", "bored"])

    def predict_proba(self, changes: np.ndarray) -> np.ndarray:
        angry = changes[:, 0] > 1
        return np.stack([angry, ~angry], axis=1).astype(float)


def test_emotions_are_judged_by_the_judges_of_the_other_fold() -> None:
    """The judge of the first fold hears what changes as anger; that of the second hears boredom in everything."""
    scores: Any = Bench()
    kind, accuracy = KINDS["functionals"], Estimate(0.7, 0.6, 0.8)
    deaf = Nearest()
    deaf.predict_proba = lambda changes: np.stack([0 * changes[:, 0], 1 + 0 * changes[:, 0]], axis=1)  # type: ignore[method-assign]
    acted = [
        Fold(load_manners(), {name: EmotionJudge(kind, (model,), accuracy) for name in KINDS}, [])
        for model in (Nearest(), deaf)
    ]
    rows = emotion_rows(scores, make_plan(["anna"], replace(QUICK, presets=2), None, {}), acted)
    heard = {row.of: row.estimate.value for row in rows if row.what == "emotions, emotion heard, functionals"}
    each = {meant: heard[f"{DEFAULT}: {meant}"] for meant in ("angry", "bored", "sad")}
    assert each == {"angry": 0.5, "bored": 0.5, "sad": 0.0}
    actors = {row.of: row.estimate.value for row in rows if row.of.startswith(ACTORS)}
    assert set(actors.values()) == {0.7} and len(actors) == 2


def test_no_actor_is_on_both_sides_of_a_fold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def utterance(actor: str) -> Any:
        return SimpleNamespace(speaker=actor, voice=actor)

    actors = [f"actor{number}" for number in range(10)]
    monkeypatch.setattr(
        acted_emotions.takes,
        "acted_pairs",
        lambda _: [TakePair(utterance(a), utterance(a), "sad", None) for a in actors],
    )
    monkeypatch.setattr(
        acted_emotions.emotion, "read_acted", lambda _: [ActedPair(utterance(a), (), "sad") for a in actors]
    )
    monkeypatch.setattr(acted_emotions.acted_manners, "learn", lambda pairs: {p.plain.speaker for p in pairs})
    monkeypatch.setattr(acted_emotions.emotion, "fit", lambda _, pairs, *__: {p.take.voice for p in pairs})
    made: Any = folds(Bench(), tmp_path, lambda *_: None)  # type: ignore[arg-type]
    for fold in made:
        assert fold.judges["functionals"] and not fold.manners & fold.judges["functionals"]
        assert {pair.plain.speaker for pair in fold.unseen} == fold.judges["functionals"]
    assert made[0].manners | made[1].manners == {*actors}
    actors.pop()
    with pytest.raises(InputError, match="at least 10"):
        folds(Bench(), tmp_path, lambda *_: None)  # type: ignore[arg-type]


def test_a_rhythm_correlates_with_what_actors_do_as_far_as_they_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    manner = load_manners()["sad"]
    rhythm = np.random.default_rng(0).normal(size=manner.rhythm.shape)
    sounds = [
        SharedSound(kind, third, 0.1, 0.1 * np.exp(rhythm[kind, third])) for kind, third in np.ndindex(rhythm.shape)
    ]
    pairs = [TakePair(take, take, "sad", None) for take in (SimpleNamespace(text=x, speaker=x) for x in "ab")]  # type: ignore[arg-type]
    monkeypatch.setattr(acted_emotions.acted_rhythm, "shared_sounds", lambda _: sounds)

    def found(own: np.ndarray, size: float = 1.0) -> float | None:
        fold = Fold({"sad": replace(manner, rhythm=own)}, {}, pairs)
        return acted_emotions._rhythm_row("it", [fold, fold], size).estimate.value

    assert found(rhythm) == pytest.approx(1.0) and found(-rhythm) == pytest.approx(-1.0)
    assert abs(found(np.random.default_rng(1).normal(size=rhythm.shape)) or 0.0) < 0.6
    assert np.isnan(found(rhythm, 0.0) or 0.0)  # one manner at one pace: nothing varies


def test_manners_belong_to_what_a_clip_is(tiny_editor: LatentEditor) -> None:
    edit = Edit(EditRequest(text="hi there", voice="anna", prompt="sad", steps=1))
    all_of_them, none = (
        WithManners.of(edit, load_manners()),
        WithManners.of(edit, acted_emotions._axes_alone(load_manners())),
    )
    assert all_of_them == WithManners.of(edit, load_manners()) != none
    assert all_of_them.identity(tiny_editor) != none.identity(tiny_editor)
    before = tiny_editor.manners
    slower = {name: replace(each, axes={**each.axes, PACE: 0.6}) for name, each in before.items()}
    lengths = [WithManners.of(edit, manners).render(tiny_editor).samples.size for manners in (before, slower)]
    assert lengths[1] > lengths[0] and tiny_editor.manners is before
