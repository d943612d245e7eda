"""Systems side by side: each figure for each system on the same trials, and its paired difference from the default."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip
from latent_edit.evaluation.controls import System
from latent_edit.evaluation.plan import Split, Trial
from latent_edit.evaluation.rows import Row, Unit
from latent_edit.evaluation.statistics import Observation, estimate

PAIRED = ", less the default"
TEST_SET = " (test set)"

Measure = Callable[[CachedScores, Trial, Clip], "tuple[float, float] | None"]
"""Value and weight of what a system made in place of the edit of a trial; None where it cannot be measured."""


@dataclass(frozen=True)
class Figure:
    """One column of a table. rules: which trials count, by the prompt that judges them; None is all."""

    what: str
    unit: Unit
    measure: Measure
    rules: Collection[str] | None = None


def titled(what: str, split: Split) -> str:
    """The name of a row: those of the test set are rows of their own."""
    return what + TEST_SET if split == "test" else what


def compare(
    scores: CachedScores, trials: Sequence[Trial], systems: Sequence[System], figures: Sequence[Figure], split: Split
) -> list[Row]:
    """Rows named by figure, of each system; the first system is the default."""
    rows = []
    for figure in figures:
        own = [trial for trial in trials if figure.rules is None or trial.rule in figure.rules]
        measured = {system.name: [_observe(scores, figure, trial, system) for trial in own] for system in systems}
        default = measured[systems[0].name]
        for system in systems:
            found = measured[system.name]
            what = titled(figure.what, split)
            rows.append(Row(what, system.name, estimate([o for o in found if o is not None]), figure.unit))
            if system is not systems[0]:
                paired = [difference(a, b) for a, b in zip(found, default, strict=True) if a and b]
                unit: Unit = "points" if figure.unit == "percent" else figure.unit
                rows.append(Row(what + PAIRED, system.name, estimate(paired), unit))
    return rows


def _observe(scores: CachedScores, figure: Figure, trial: Trial, system: System) -> Observation | None:
    found = figure.measure(scores, trial, system.clip(trial.edit))
    return None if found is None else Observation(found[0], trial.edit.text, trial.edit.voice, weight=found[1])


def difference(one: Observation, other: Observation) -> Observation:
    """How much more the one has than the other, measured on the same trial."""
    return Observation(one.value - other.value, one.sentence, one.voice, weight=one.weight)
