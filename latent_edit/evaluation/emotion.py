"""Paired emotion judges, fitted on acted speech of other people: which emotion is a change from the neutral take?

Acted speech: a folder with manifest.csv (file, speaker, sentence, text, style), such as EmoDB (Burkhardt et al. 2005,
Interspeech, "A Database of German Emotional Speech", CC0). A judge sees the difference between a take and the same
actor's neutral take of the same sentence, as it will see the difference between the after and the before of an edit.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from latent_edit.errors import InputError
from latent_edit.evaluation.cached_scores import CachedScores, ScoreKey
from latent_edit.evaluation.clips import Clip, Recording
from latent_edit.evaluation.plan import Trial
from latent_edit.evaluation.statistics import Estimate, Observation, estimate
from latent_edit.manners import PROMPTS

NEUTRAL = "neutral"
HEARD, ACTORS = "emotion heard, {}", "real actors, unseen"  # what is counted, by which kind of judge; and the ceiling
FOLDS, SEEDS = 5, (0, 1)  # each seed deals the actors into five folds: ten classifiers


@dataclass(frozen=True)
class Kind:
    """feature: which of `cached_scores.JUDGES` it sees. regularisation: C of the logistic regression."""

    feature: str
    emotions: tuple[str, ...]
    regularisation: float


KINDS = {
    "functionals": Kind("functionals", ("angry", "happy", "fearful", "sad", "bored"), 0.1),
    "contour shape": Kind("contour_shape", ("angry", "happy", "fearful", "sad"), 0.003),
}


# The prompts that name an emotion of the judges; the judge of shapes was never fitted on boredom.
EMOTION_OF = {prompt: name for prompt, name in PROMPTS.items() if name in KINDS["functionals"].emotions}


@dataclass(frozen=True)
class ActedPair:
    """A take of an emotion, and the same actor's neutral takes of the same sentence."""

    take: Clip
    neutral: tuple[Clip, ...]
    emotion: str


def read_acted(folder: Path) -> list[ActedPair]:
    """All takes that have a neutral one beside them. Raises InputError."""
    path = folder / "manifest.csv"
    if not path.is_file():
        raise InputError(f"{folder} has no manifest.csv; give a folder of acted speech as --acted")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"file", "speaker", "sentence", "text", "style"} <= rows[0].keys():
        raise InputError(f"{path} needs the columns file, speaker, sentence, text and style")
    takes: dict[tuple[str, str], dict[str, list[Recording]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        recording = Recording(folder / row["file"], row["speaker"], row["text"])
        takes[row["speaker"], row["sentence"]][row["style"]].append(recording)
    return [
        ActedPair(take, tuple(styles[NEUTRAL]), emotion)
        for styles in takes.values()
        if NEUTRAL in styles
        for emotion, own in styles.items()
        if emotion != NEUTRAL
        for take in own
    ]


@dataclass(frozen=True)
class EmotionJudge:
    """accuracy: mean share over the emotions that are recognised in actors whom no part of it has heard."""

    kind: Kind
    classifiers: tuple[Any, ...]
    accuracy: Estimate

    def hears(self, scores: CachedScores, before: Clip, after: Clip) -> str | None:
        """The emotion that the change from before to after sounds like; None where a clip has no speech."""
        change = _change(scores, self.kind, [before], after)
        if change is None:
            return None
        probabilities = np.mean([model.predict_proba(change[None])[0] for model in self.classifiers], axis=0)
        return str(self.classifiers[0].classes_[probabilities.argmax()])


def heard_by(
    judge: EmotionJudge, meant: Mapping[str, str] = EMOTION_OF
) -> Callable[[CachedScores, Trial, Clip], tuple[float, float] | None]:
    """Whether a judge hears the emotion that a trial asks for in the change from before. meant: rule -> emotion."""

    def measure(scores: CachedScores, trial: Trial, clip: Clip) -> tuple[float, float] | None:
        heard = judge.hears(scores, trial.edit.before, clip)
        return None if heard is None else (float(heard == meant[trial.rule]), 1.0)

    return measure


def fit(
    scores: CachedScores, pairs: Sequence[ActedPair], kind: Kind, tell: Callable[[int, int], None] = lambda *_: None
) -> EmotionJudge:
    """Logistic regressions on standardised changes, cross-fitted: no actor is judged by one that learnt from them."""
    pairs = [pair for pair in pairs if pair.emotion in kind.emotions]
    clips = {clip: None for pair in pairs for clip in (pair.take, *pair.neutral)}
    scores.compute([ScoreKey(kind.feature, (clip,)) for clip in clips], tell)
    return fit_changes([(pair, _change(scores, kind, pair.neutral, pair.take)) for pair in pairs], kind)


def fit_changes(found: Sequence[tuple[ActedPair, np.ndarray | None]], kind: Kind) -> EmotionJudge:
    """The same on changes of any features [D]; None where a clip has no speech. Raises InputError."""
    usable = [(pair, change) for pair, change in found if change is not None]
    changes = np.array([change for _, change in usable])
    emotions = np.array([pair.emotion for pair, _ in usable])
    actors = np.array([pair.take.voice for pair, _ in usable])
    if len(set(actors)) < FOLDS or set(emotions) != set(kind.emotions):
        raise InputError(f"acted speech of at least {FOLDS} actors with {', '.join(kind.emotions)} is needed")
    held_out = np.zeros((len(usable), len(kind.emotions)))
    classifiers = []
    for seed in SEEDS:
        for fold in _folds(actors, seed):
            model = _classifier(kind).fit(changes[~fold], emotions[~fold])
            held_out[fold] += model.predict_proba(changes[fold])
            classifiers.append(model)
    right = np.array(sorted(kind.emotions))[held_out.argmax(axis=1)] == emotions
    return EmotionJudge(kind, tuple(classifiers), _balanced(usable, right))


def _classifier(kind: Kind) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = LogisticRegression(C=kind.regularisation, class_weight="balanced", max_iter=2000)
    return make_pipeline(StandardScaler(), model)


def _folds(actors: np.ndarray, seed: int) -> list[np.ndarray]:
    """Masks [N] of the actors of each fold."""
    order = np.random.default_rng(seed).permutation(np.unique(actors))
    return [np.isin(actors, order[place::FOLDS]) for place in range(FOLDS)]


def _balanced(usable: Sequence[tuple[ActedPair, np.ndarray]], right: np.ndarray) -> Estimate:
    """Every emotion counts alike, however many takes of it there are."""
    names = [pair.emotion for pair, _ in usable]
    weights = [1 / names.count(name) for name in names]
    return estimate(
        [
            Observation(weight * float(hit), pair.take.text, pair.take.voice, weight)
            for (pair, _), hit, weight in zip(usable, right, weights, strict=True)
        ]
    )


def _change(scores: CachedScores, kind: Kind, before: Sequence[Clip], after: Clip) -> np.ndarray | None:
    """Features of `after` less the mean of those of `before`."""
    first = [features for clip in before if (features := scores.score(kind.feature, clip)) is not None]
    second = scores.score(kind.feature, after)
    return None if second is None or not first else np.array(second) - np.mean(first, axis=0)
