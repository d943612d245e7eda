"""Intervals against cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from latent_edit.evaluation.statistics import Estimate, Observation, estimate


def test_nothing_measured_is_none() -> None:
    assert estimate([]) == Estimate(None, None, None)
    assert estimate([Observation(0.0, "s", "v", weight=0.0)]) == Estimate()
    assert estimate([Observation(3.0, "s", "v"), Observation(4.0, "s", "v")]) == Estimate(3.5, None, None)


def test_the_value_is_a_ratio_of_sums() -> None:
    found = estimate([Observation(1, "a", "v", 10), Observation(5, "b", "v", 10), Observation(0, "c", "v", 80)])
    assert found.value == pytest.approx(0.06)
    assert found.low is not None and found.high is not None
    assert found.low <= 0.06 <= found.high


def test_the_same_seed_gives_the_same_interval() -> None:
    observations = [Observation(float(np.sqrt(i)), str(i), "v") for i in range(20)]
    assert estimate(observations) == estimate(observations)
    assert estimate(observations, seed=1) != estimate(observations, seed=2)


def test_independent_sentences_give_the_textbook_interval() -> None:
    """One observation per sentence in one voice: the mean's interval is 1.96 standard errors either way."""
    values = np.random.default_rng(0).normal(3.0, 2.0, 400)
    found = estimate([Observation(float(x), str(i), "one") for i, x in enumerate(values)])
    error = 1.96 * values.std() / np.sqrt(len(values))
    assert found.low == pytest.approx(values.mean() - error, abs=0.03)
    assert found.high == pytest.approx(values.mean() + error, abs=0.03)


def test_repeats_of_a_sentence_are_no_new_evidence() -> None:
    """Ten copies of each observation leave the interval as it is; taken as independent they would shrink it."""
    values = np.random.default_rng(1).normal(0.0, 1.0, 50)
    once = estimate([Observation(float(x), str(i), "v") for i, x in enumerate(values)])
    copies = estimate([Observation(float(x), str(i), "v") for i, x in enumerate(values) for _ in range(10)])
    assert copies.low == pytest.approx(once.low) and copies.high == pytest.approx(once.high)


def test_voices_that_differ_widen_the_interval() -> None:
    """Four voices at 0, 1, 2, 3 without any spread between sentences: the mean of four draws has deviation 0.56."""
    found = estimate([Observation(float(v), str(s), str(v)) for v in range(4) for s in range(100)])
    assert found.low == pytest.approx(1.5 - 1.96 * np.sqrt(1.25 / 4), abs=0.2)
    assert found.high == pytest.approx(1.5 + 1.96 * np.sqrt(1.25 / 4), abs=0.2)
