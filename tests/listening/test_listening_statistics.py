"""Simulated listeners with known effects: intervals cover as often as they say, tests err as rarely as they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, wilcoxon

from latent_edit.listening import statistics
from latent_edit.listening.statistics import bradley_terry, clustered_mean, holm, sign_flip

SIMULATIONS = 2000
SURE = 0.999  # of the bounds: a method that is right fails once in a thousand


def bounds(share: float, simulations: int = SIMULATIONS) -> tuple[float, float]:
    """Between which an exact binomial share lies with certainty `SURE`."""
    low, high = binom.interval(SURE, simulations, share)
    return low / simulations, high / simulations


def ratings(draw: np.random.Generator, people: int, items: int, spread: tuple[float, float, float]) -> np.ndarray:
    """Ratings around 3: [people, items], with effects of both and noise."""
    person, item, noise = spread
    return (
        3 + person * draw.normal(size=(people, 1)) + item * draw.normal(size=(1, items))
        + noise * draw.normal(size=(people, items))
    )  # fmt: skip


@pytest.mark.parametrize(
    ("people", "items", "spread"),
    [(24, 16, (0.5, 0.4, 0.8)), (40, 12, (0.2, 0.5, 1.0)), (16, 24, (0.8, 0.1, 0.5))],
)
def test_intervals_cover_the_true_mean(people: int, items: int, spread: tuple[float, float, float]) -> None:
    draw = np.random.default_rng(1)
    names = np.repeat([f"p{i}" for i in range(people)], items), np.tile([f"i{i}" for i in range(items)], people)
    covered = 0
    for _ in range(SIMULATIONS):
        found = clustered_mean(ratings(draw, people, items, spread).ravel(), *names)
        assert found.low is not None and found.high is not None
        covered += found.low <= 3 <= found.high
    low, high = bounds(0.95)
    assert low <= covered / SIMULATIONS <= high


def test_a_plain_interval_would_not_cover() -> None:
    """The simulation can tell: with answers taken as independent, intervals are far too narrow."""
    draw = np.random.default_rng(2)
    covered = 0
    for _ in range(SIMULATIONS):
        values = ratings(draw, 24, 16, (0.5, 0.4, 0.8)).ravel()
        covered += abs(values.mean() - 3) <= 1.96 * values.std(ddof=1) / np.sqrt(values.size)
    assert covered / SIMULATIONS < bounds(0.95)[0]


def preferences(draw: np.random.Generator, people: int, trials: int, effect: float) -> np.ndarray:
    """Mean score of each participant [people]: trials of +1, 0 (tie) or -1 with a taste of their own and an effect."""
    taste = draw.normal(0, 0.8, size=(people, 1)) + effect
    strength = taste + draw.logistic(size=(people, trials))
    return np.where(np.abs(strength) < 0.4, 0.0, np.sign(strength)).mean(axis=1)


@pytest.mark.parametrize("people", [12, 30])
def test_preferences_without_an_effect_are_found_as_rarely_as_said(people: int) -> None:
    draw = np.random.default_rng(3)
    found = sum(sign_flip(preferences(draw, people, 12, 0.0)) <= 0.05 for _ in range(SIMULATIONS))
    low, high = bounds(0.05)
    assert low <= found / SIMULATIONS <= high


def test_a_binomial_over_repeated_answers_would_find_far_too_many() -> None:
    draw = np.random.default_rng(4)
    found = 0
    for _ in range(SIMULATIONS):
        wins = (preferences(draw, 30, 12, 0.0) * 12).sum()
        found += abs(wins) > 1.96 * np.sqrt(30 * 12)
    assert found / SIMULATIONS > bounds(0.05)[1]


def test_an_effect_is_found() -> None:
    draw = np.random.default_rng(5)
    found = sum(sign_flip(preferences(draw, 30, 12, 0.8)) <= 0.05 for _ in range(200))
    assert found > 180


def test_sign_flips_of_few_are_exact() -> None:
    assert sign_flip(np.ones(5)) == pytest.approx(2 / 32)
    assert sign_flip(np.zeros(5)) == 1.0
    assert sign_flip(np.array([1.0, -1.0])) == 1.0


@pytest.mark.parametrize("people", [6, 12, 30])
def test_signed_ranks_are_scipys(people: int) -> None:
    differences = np.random.default_rng(people).normal(0.4, 1, people)
    assert statistics.wilcoxon_p(differences) == pytest.approx(wilcoxon(differences).pvalue, abs=0.02 * (people > 13))
    assert statistics.wilcoxon_p(np.zeros(4)) is None


def test_holm_is_known() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


def test_bradley_terry_finds_strengths() -> None:
    true = np.array([1.0, 0.2, -0.4, -0.8])
    chance = 1 / (1 + np.exp(true[None, :] - true[:, None]))
    assert bradley_terry(10_000 * chance) == pytest.approx(true, abs=0.01)
    never = np.zeros((2, 2))
    never[0, 1] = 20
    assert np.isfinite(bradley_terry(never)).all()


def test_power_is_the_textbooks() -> None:
    differences = np.array([1.0, 0.0]) * 2  # mean 1, deviation 1.414: d = 0.707
    needed = statistics.participants_for_power(differences)
    assert needed == 18  # Cohen's tables: d = 0.7 needs 19 at 80 %, two-sided 5 %
    assert statistics.participants_for_power(np.zeros(5)) is None


def test_alpha_is_one_when_all_agree_and_none_when_nobody_shares() -> None:
    assert statistics.krippendorff_alpha(np.array([[1.0, 2, 3], [1, 2, 3]]), "ordinal") == pytest.approx(1)
    assert statistics.krippendorff_alpha(np.array([[1.0, np.nan], [np.nan, 2]]), "ordinal") is None


def test_words_are_counted() -> None:
    assert statistics.word_errors("It’s raining, again!", "its raining again") == (1, 3)
    assert statistics.word_errors("It rains.", "") == (2, 2)
