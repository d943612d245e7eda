"""Intervals that know that ten prompts on one sentence are not ten independent trials."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
CONFIDENCE = 0.95
SEED = 20231118


@dataclass(frozen=True)
class Observation:
    """One measured item: `value` counts of something out of `weight` (wrong words of all words; a mean has weight 1).

    sentence, voice: the clusters it belongs to; observations that share one are not independent.
    """

    value: float
    sentence: str
    voice: str
    weight: float = 1.0


@dataclass(frozen=True)
class Estimate:
    """A ratio of sums and its 95 % interval. None: nothing was measured, or only one sentence in one voice."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def estimate(observations: Sequence[Observation], seed: int = SEED) -> Estimate:
    """Sum of values over sum of weights with a percentile interval, clustered by sentence and by voice.

    The pigeonhole bootstrap (Owen 2007, Annals of Applied Statistics 1(2)): sentences and voices are resampled
    independently, and an observation counts as often as its sentence times its voice were drawn. It errs towards wide
    intervals. A factor with a single level (one voice) is left as it is, since nothing could vary there.
    """
    weights = np.array([o.weight for o in observations])
    if not observations or weights.sum() == 0:
        return Estimate()
    values = np.array([o.value for o in observations])
    value = float(values.sum() / weights.sum())
    if len({(o.sentence, o.voice) for o in observations}) == 1:
        return Estimate(value)
    generator = np.random.default_rng(seed)
    counts = np.ones((RESAMPLES, len(observations)))
    for labels in ([o.sentence for o in observations], [o.voice for o in observations]):
        levels, position = np.unique(labels, return_inverse=True)
        drawn = generator.multinomial(len(levels), np.full(len(levels), 1 / len(levels)), size=RESAMPLES)
        counts *= drawn[:, position]
    totals = counts @ weights
    ratios = (counts @ values)[totals > 0] / totals[totals > 0]  # a draw can miss every observation
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(ratios, [tail, 100 - tail])
    return Estimate(value, float(low), float(high))
