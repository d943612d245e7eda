"""Emotions as actors express them, on plain syntheses of the embedded voices, heard by judges who know none of the
actors.

The actors of a corpus are dealt into two folds. What an edit is told of a manner is learnt from one, its judges are
fitted on the other; sentences take turns. What is shipped is learnt from all of them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_edit.axes import PACE
from latent_edit.data import acted_manners, acted_rhythm, takes
from latent_edit.data.styles import Style
from latent_edit.errors import InputError
from latent_edit.evaluation import emotion
from latent_edit.evaluation.cached_scores import CachedScores, ScoreList
from latent_edit.evaluation.clips import Clip, Edit, OfSource, Sound, WorldEdit
from latent_edit.evaluation.comparison import Figure, compare
from latent_edit.evaluation.controls import DEFAULT, CorrectionAlone, System
from latent_edit.evaluation.outside_judges import change_of, same_voice, words_lost
from latent_edit.evaluation.plan import Plan, SampleSizes, Trial, make_plan
from latent_edit.evaluation.rows import Row
from latent_edit.evaluation.statistics import Estimate, estimate_of
from latent_edit.manners import Manner, digest
from latent_edit.prompts.reader import read_prompt

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

COMBINATIONS = 24  # sixteen cannot tell half a point of words lost from seven
TITLE = "emotions, "
ABOUT = """\
## Emotions, as actors express them

The prompts are the names of five emotions. What changes from a neutral take (axes, shapes of F0 and energy over the
sentence, balance of bands, rhythm) is learnt from five actors of EmoDB and heard by judges fitted on the other five, in
two folds; what is shipped is learnt from all ten. *Axes alone* is the default with nothing else of a manner, WORLD is
given the same axes. Chance is 20 % by functionals and 25 % by the shape of contours, of which boredom is not asked.
Rhythm, a figure of what is learnt and not of sound: the correlation of how much longer each sound is asked to last with
how much longer actors of the other fold make it.
Made by `evaluate --suite emotions`."""


@dataclass(frozen=True, eq=False)
class Fold:
    """manners: learnt from some actors; judges: fitted on the others, by kind; unseen: the takes of these."""

    manners: Mapping[str, Manner]
    judges: Mapping[str, emotion.EmotionJudge]
    unseen: Sequence[takes.TakePair]


def folds(scores: CachedScores, acted: Path, tell: Callable[[int, int], None]) -> tuple[Fold, Fold]:
    """Both, from a folder of acted speech. Raises InputError."""
    judged, learnt = emotion.read_acted(acted), takes.acted_pairs(acted)
    actors = sorted({pair.plain.speaker for pair in learnt})
    if len(actors) < 2 * emotion.FOLDS:
        raise InputError(f"{acted} has {len(actors)} actors; at least {2 * emotion.FOLDS} are needed, in two folds")

    def fold(own: Sequence[str]) -> Fold:
        manners = acted_manners.learn([pair for pair in learnt if pair.plain.speaker in own])
        others = [pair for pair in judged if pair.take.voice not in own]
        fitted = {name: emotion.fit(scores, others, kind, tell) for name, kind in emotion.KINDS.items()}
        return Fold(manners, fitted, [pair for pair in learnt if pair.plain.speaker not in own])

    return fold(actors[::2]), fold(actors[1::2])


@dataclass(frozen=True)
class WithManners(OfSource):
    """A clip as an editor makes it that knows other manners. digest: of these."""

    source: Clip
    digest: str
    manners: Mapping[str, Manner] = field(compare=False)

    @staticmethod
    def of(source: Clip, manners: Mapping[str, Manner]) -> WithManners:
        """With the digest of the manners."""
        return WithManners(source, digest(manners), manners)

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The manners and the source."""
        return ["with manners", self.digest, *self.source.identity(editor)]

    def render(self, editor: LatentEditor) -> Sound:
        """By a copy of the editor."""
        other = copy.copy(editor)
        other.manners = dict(self.manners)
        return self.source.render(other)


def evaluate_emotions(
    scores: CachedScores, acted: Path, combinations: int | None, tell: Callable[[int, int], None], workers: int
) -> list[Row]:
    """Every row, from a folder of acted speech; combinations: of sentence and voice, for every prompt."""
    voices, count = scores.editor.voices, combinations or COMBINATIONS
    sizes = SampleSizes(sentences=math.ceil(count / len(voices)), presets=count)
    plan, dealt, needed = (
        make_plan(voices, sizes, None, {}),
        folds(scores, acted, tell),
        ScoreList(scores.editor),
    )
    emotion_rows(needed, plan, dealt)
    scores.compute(needed.keys, tell, workers)
    return emotion_rows(scores, plan, dealt)


def emotion_rows(scores: CachedScores, plan: Plan, acted: Sequence[Fold]) -> list[Row]:
    """Every figure of every system on the prompts that name an emotion, and what real actors reach."""
    trials = plan.trials({prompt: prompt for prompt in emotion.EMOTION_OF}, plan.sizes.presets)
    figures = [
        Figure(TITLE + "words lost (Moonshine)", "points", words_lost("moonshine")),
        Figure(TITLE + "DistillMOS, after - before", "mos", change_of("distillmos")),
        Figure(TITLE + "same voice, cosine", "cosine", same_voice),
    ]
    for name, kind in emotion.KINDS.items():
        asked = [prompt for prompt, heard in emotion.EMOTION_OF.items() if heard in kind.emotions]
        figures.append(Figure(TITLE + emotion.HEARD.format(name), "percent", _heard(name, acted), asked))
    rows = compare(scores, trials, _systems(acted), figures, plan.split)
    for prompt, meant in emotion.EMOTION_OF.items():
        own = [trial for trial in trials if trial.rule == prompt]
        alone = compare(scores, own, _systems(acted)[:1], figures, plan.split)
        rows += [replace(row, of=f"{row.of}: {meant}") for row in alone if row.estimate.value is not None]
    for name in emotion.KINDS:
        for place, fold in enumerate(acted):
            accuracy = fold.judges[name].accuracy
            rows.append(
                Row(TITLE + emotion.HEARD.format(name), f"{emotion.ACTORS}, fold {place + 1}", accuracy, "percent")
            )
    return [*rows, _rhythm_row(DEFAULT, acted, 1.0), _rhythm_row("axes alone", acted, 0.0)]


def _rhythm_row(of: str, acted: Sequence[Fold], size: float) -> Row:
    """Correlation of the durations that manners ask for, in so much of their rhythm, with those of unseen actors."""
    asked: list[float] = []
    found: list[float] = []
    clusters: list[tuple[str, str]] = []
    for fold in acted:
        for pair in fold.unseen:
            if (sounds := acted_rhythm.shared_sounds(pair)) and pair.manner in fold.manners:
                manner = fold.manners[pair.manner]
                asked += acted_rhythm.predicted(sounds, size * manner.rhythm, manner.axes[PACE]).tolist()
                found += [sound.log_ratio for sound in sounds]
                clusters += [(pair.plain.text, pair.plain.speaker)] * len(sounds)
    values = np.array([asked, found])

    def correlation(counts: np.ndarray) -> np.ndarray:
        return np.array([_weighted_correlation(values, own) for own in counts])

    what = TITLE + "rhythm, correlation with unseen actors"
    return Row(what, of, estimate_of(correlation, clusters) if clusters else Estimate(), "correlation")


def _weighted_correlation(values: np.ndarray, weights: np.ndarray) -> float:
    """Of [2, N], each item counted so often [N]; NaN where nothing varies."""
    if weights.sum() == 0:
        return float("nan")
    covariance = np.cov(values, aweights=weights)
    spread = np.sqrt(covariance[0, 0] * covariance[1, 1])
    return float(covariance[0, 1] / spread) if spread > 0 else float("nan")


def _systems(acted: Sequence[Fold]) -> list[System]:
    def told(edit: Edit, clip: Clip, manners: Callable[[Mapping[str, Manner]], Mapping[str, Manner]]) -> Clip:
        return WithManners.of(clip, manners(_fold(edit, acted).manners))

    def as_is(manners: Mapping[str, Manner]) -> Mapping[str, Manner]:
        return manners

    return [
        System(DEFAULT, lambda edit: told(edit, edit, as_is), ""),
        System("axes alone", lambda edit: told(edit, edit, _axes_alone), ""),
        System("bridge alone", lambda edit: told(edit, Edit(replace(edit.request, correction=False)), as_is), ""),
        System("correction alone", lambda edit: told(edit, CorrectionAlone(edit.request), as_is), ""),
        System("WORLD, same axes", lambda edit: WorldEdit(edit.before, _style(edit, acted)), ""),
        System("identity", lambda edit: edit.before, ""),
    ]


def _axes_alone(manners: Mapping[str, Manner]) -> dict[str, Manner]:
    """Manners with nothing but their axes."""
    return {name: replace(manner, middle=None, rhythm=0 * manner.rhythm) for name, manner in manners.items()}


def _style(edit: Edit, acted: Sequence[Fold]) -> Style:
    return Style(**read_prompt(edit.request.prompt, manners=_fold(edit, acted).manners).values)


def _fold(edit: Edit, acted: Sequence[Fold]) -> Fold:
    """Sentences take turns, and a seed is the place of its sentence."""
    return acted[edit.request.seed % len(acted)]


def _heard(name: str, acted: Sequence[Fold]) -> Callable[[CachedScores, Trial, Clip], tuple[float, float] | None]:
    def measure(scores: CachedScores, trial: Trial, clip: Clip) -> tuple[float, float] | None:
        return emotion.heard_by(_fold(trial.edit, acted).judges[name])(scores, trial, clip)

    return measure
