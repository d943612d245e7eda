"""Estimates and tests for repeated measures: the same participants on the same items, never a plain binomial."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

Level = Literal["nominal", "ordinal", "interval"]
RESAMPLES = 2000
FLIPS = 10_000
EXACT_UP_TO = 13  # participants: 8192 sign patterns and fewer are all tried
CONFIDENCE = 0.95
SEED = 20231118
PRIOR_COMPARISONS = 0.5  # of every pair, a tie: a condition that always won has a finite strength


@dataclass(frozen=True)
class Estimate:
    """A mean with its 95 % interval; None where too few participants or items say anything about spread."""

    value: float
    low: float | None
    high: float | None
    participants: int
    items: int
    answers: int


def clustered_mean(values: np.ndarray, participants: Sequence[str], items: Sequence[str], seed: int = SEED) -> Estimate:
    """Mean of values [N] and its interval, clustered by participant and by item.

    Participants and items are each resampled; the two deviations are added and scaled so that their variance is the
    two-way one of Cameron, Gelbach and Miller (2011, Journal of Business & Economic Statistics 29(2), eq. 2.11):
    V_participants + V_items - V_answers, the noise of single answers being in both. Resamples of n clusters vary too
    little by (n - 1) / n, and so few have the tails of Student's t; both are made good, the latter by Satterthwaite's
    degrees of freedom. A factor of a single level is taken as fixed.
    """
    from scipy.stats import norm, t

    values = np.asarray(values, dtype=np.float64)
    people, things = _codes(participants), _codes(items)
    mean = float(values.mean())
    counts = (int(people.max()) + 1, int(things.max()) + 1, len(values))
    influence = (values - mean) / len(values)
    parts = []
    for codes, levels in ((people, counts[0]), (things, counts[1])):
        if levels > 1:
            sums = np.bincount(codes, influence, minlength=levels)
            parts.append((codes, levels, float((sums**2).sum()) * levels / (levels - 1)))
    total = sum(variance for _, _, variance in parts)
    if not parts or total == 0:
        return Estimate(mean, mean if parts else None, mean if parts else None, *counts)
    largest = max(variance for _, _, variance in parts)
    answers = float((influence**2).sum()) * len(values) / (len(values) - 1)
    two_way = max(total - answers, largest) if len(parts) == 2 else total
    freedom = total**2 / sum(variance**2 / (levels - 1) for _, levels, variance in parts)
    deviations = np.zeros(RESAMPLES)
    for codes, levels, _ in parts:
        drawn = _resamples(levels, seed + (codes is things))
        sizes = np.bincount(codes, minlength=levels)
        sums = np.bincount(codes, values, minlength=levels)
        deviations += (drawn @ sums / (drawn @ sizes) - mean) * np.sqrt(levels / (levels - 1))
    tail = (1 - CONFIDENCE) / 2
    scale = np.sqrt(two_way / total) * float(t.ppf(1 - tail, freedom) / norm.ppf(1 - tail))
    low, high = mean + scale * (np.percentile(deviations, [100 * tail, 100 * (1 - tail)]))
    return Estimate(mean, float(low), float(high), *counts)


def _codes(names: Sequence[str]) -> np.ndarray:
    return np.unique(np.asarray(names), return_inverse=True)[1]


@lru_cache(maxsize=64)
def _resamples(levels: int, seed: int) -> np.ndarray:
    """How often each of the levels is drawn: [RESAMPLES, levels]."""
    return np.random.default_rng(seed).multinomial(levels, np.full(levels, 1 / levels), size=RESAMPLES).astype(float)


@lru_cache(maxsize=32)
def _signs(participants: int, seed: int) -> np.ndarray:
    """Sign patterns [K, participants]: all of them where there are few, else drawn."""
    if participants <= EXACT_UP_TO:
        return np.array(list(itertools.product((1.0, -1.0), repeat=participants)))
    return np.random.default_rng(seed).choice((1.0, -1.0), size=(FLIPS, participants))


def sign_flip(differences: np.ndarray, seed: int = SEED) -> float:
    """Two-sided p of mean differences [participants] around zero: without an effect either sign is equally likely.

    Exact for up to 13 participants. A participant counts once, however many trials they answered (Good 2005,
    Permutation, Parametric and Bootstrap Tests, ch. 3). Ties are zeros and move nothing.
    """
    differences = np.asarray(differences, dtype=np.float64)
    differences = differences[np.isfinite(differences)]
    if differences.size == 0 or not differences.any():
        return 1.0
    signs = _signs(differences.size, seed)
    reached = np.abs(signs @ differences) >= abs(differences.sum()) - 1e-12 * np.abs(differences).sum()
    if differences.size <= EXACT_UP_TO:
        return float(reached.mean())
    return float((reached.sum() + 1) / (len(signs) + 1))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979)."""
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []


def by_participant(values: np.ndarray, participants: Sequence[str]) -> dict[str, float]:
    """Mean of each participant's values."""
    names = np.asarray(participants)
    return {str(name): float(values[names == name].mean()) for name in np.unique(names)}


def wilcoxon_p(differences: np.ndarray) -> float | None:
    """Two-sided p of the signed ranks of participants' mean differences; None where none differs.

    By sign flips of the ranks, zeros left out: Wilcoxon's exact test, also with ties, for which scipy takes minutes.
    """
    from scipy.stats import rankdata

    differences = np.asarray(differences, dtype=np.float64)
    differences = differences[differences != 0]
    return sign_flip(np.sign(differences) * rankdata(np.abs(differences))) if differences.size else None


def friedman_p(table: np.ndarray) -> float | None:
    """p of equal ranks of conditions in participants' means [participants, conditions]; None below 3 x 3."""
    from scipy.stats import friedmanchisquare

    if table.shape[0] < 3 or table.shape[1] < 3:
        return None
    p = float(friedmanchisquare(*table.T).pvalue)
    return p if np.isfinite(p) else None


def bradley_terry(wins: np.ndarray, steps: int = 500) -> np.ndarray:
    """Log strengths [C], mean zero, of conditions that won wins[i, j] times against each other; ties half to both.

    The minorisation of Hunter (2004, Annals of Statistics 32(1), eq. 3), with half a comparison of every pair as prior.
    """
    wins = np.asarray(wins, dtype=np.float64) + PRIOR_COMPARISONS / 2
    np.fill_diagonal(wins, 0.0)
    met, strength = wins + wins.T, np.ones(len(wins))
    for _ in range(steps):
        shared = met / (strength[:, None] + strength[None, :])
        updated = wins.sum(axis=1) / shared.sum(axis=1)
        updated /= np.exp(np.log(updated).mean())
        if np.abs(updated - strength).max() < 1e-10:
            break
        strength = updated
    return np.log(strength)


def bradley_terry_intervals(
    wins: Mapping[str, np.ndarray], seed: int = SEED
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log strengths and their 95 % intervals [C] each; participants, with their own wins [C, C], are resampled."""
    tables = np.stack(list(wins.values()))
    drawn = _resamples(len(tables), seed)[:400]
    resampled = np.stack([bradley_terry(table, 60) for table in np.tensordot(drawn, tables, axes=1)])
    low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
    return bradley_terry(tables.sum(axis=0)), low, high


def krippendorff_alpha(table: np.ndarray, level: Level) -> float | None:
    """Agreement of raters over units [participants, units], NaN where not rated; None where nobody shares a unit.

    level: of measurement (Krippendorff 2011, Computing Krippendorff's alpha-reliability).
    """
    import krippendorff

    shared = table[:, np.isfinite(table).sum(axis=0) > 1]
    if shared.size == 0 or np.unique(shared[np.isfinite(shared)]).size < 2:
        return None
    return float(krippendorff.alpha(reliability_data=shared, level_of_measurement=level))


def participants_for_power(differences: np.ndarray, power: float = 0.8, alpha: float = 0.05) -> int | None:
    """Participants with which an effect as large as this one is found with this power; None without an effect.

    differences: each participant's mean difference. By the paired t-test, whose power that of signed ranks follows.
    """
    from statsmodels.stats.power import TTestPower

    differences = np.asarray(differences, dtype=np.float64)
    deviation = differences.std(ddof=1) if differences.size > 1 else 0.0
    if deviation == 0 or abs(differences.mean()) / deviation < 0.02:
        return None
    needed = TTestPower().solve_power(effect_size=abs(differences.mean()) / deviation, alpha=alpha, power=power)
    return int(np.ceil(np.atleast_1d(needed)[0]))


def word_errors(said: str, typed: str) -> tuple[int, int]:
    """Words wrong in what was typed, and words said; case and punctuation do not count."""
    import jiwer

    reference, heard = _words(said), _words(typed)
    if not reference:
        return 0, 0
    if not heard:
        return len(reference.split()), len(reference.split())
    found = jiwer.process_words(reference, heard)
    return found.substitutions + found.deletions + found.insertions, len(reference.split())


def _words(text: str) -> str:
    kept = "".join(c if c.isalnum() or c in "' " else " " for c in text.lower().replace("’", "'"))
    return " ".join(kept.split())
