"""Intervals that know that ten prompts on one sentence are not ten independent trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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

    def ratio(counts: np.ndarray) -> np.ndarray:
        totals = counts @ weights  # a draw can miss every observation
        return np.where(totals > 0, (counts @ values) / np.where(totals > 0, totals, 1), np.nan)

    return estimate_of(ratio, [(o.sentence, o.voice) for o in observations], seed)


def estimate_of(
    statistic: Callable[[np.ndarray], np.ndarray], clusters: Sequence[tuple[str, str]], seed: int = SEED
) -> Estimate:
    """A statistic of items with the interval of `estimate`. clusters: sentence and voice of each of N items.

    statistic: of how often each item was drawn, [R, N] -> [R]; NaN where a draw has no answer.
    """
    value = float(statistic(np.ones((1, len(clusters))))[0])
    if len(set(clusters)) == 1:
        return Estimate(value)
    generator = np.random.default_rng(seed)
    counts = np.ones((RESAMPLES, len(clusters)))
    for labels in zip(*clusters, strict=True):
        levels, position = np.unique(labels, return_inverse=True)
        drawn = generator.multinomial(len(levels), np.full(len(levels), 1 / len(levels)), size=RESAMPLES)
        counts *= drawn[:, position]
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.nanpercentile(statistic(counts), [tail, 100 - tail])
    return Estimate(value, float(low), float(high))
