"""Schedules against their definitions and Bayes' rule, in float64."""

from __future__ import annotations

import pytest
import torch

from latent_edit.diffusion.schedules import BridgeSchedule, cosine_schedule, sampling_times
from latent_edit.errors import InputError

TIMES = torch.linspace(0, 1, 37, dtype=torch.float64)


def test_cosine_schedule_preserves_variance_and_ends_in_pure_noise() -> None:
    alpha, sigma = cosine_schedule(TIMES)
    torch.testing.assert_close(alpha.square() + sigma.square(), torch.ones_like(TIMES), rtol=0, atol=1e-15)
    torch.testing.assert_close(alpha, torch.cos(torch.pi / 2 * TIMES), rtol=0, atol=1e-15)
    assert (alpha[0], sigma[0], alpha[-1], sigma[-1]) == (1, 0, 0, 1)


@pytest.mark.parametrize("steps", [1, 3, 10, 1000])
def test_sampling_times_run_from_one_to_zero_on_the_grid(steps: int) -> None:
    times = sampling_times(steps)
    assert times.shape == (steps + 1,)
    assert (times[0], times[-1]) == (1, 0)
    assert (times.diff() < 0).all()
    torch.testing.assert_close(times * 1000, (times * 1000).round(), rtol=0, atol=1e-9)
    assert (times.diff() + 1 / steps).abs().max() <= 1e-3


@pytest.mark.parametrize("steps", [1, 2, 10, 11, 30, 100])
def test_the_last_prediction_is_not_too_near_the_target(steps: int) -> None:
    times = sampling_times(steps, earliest=0.1)
    assert times.shape == (steps + 1,)
    assert (times[0], times[-1]) == (1, 0)
    assert times[-2] == pytest.approx(max(0.1, 1 / steps), abs=1e-9)
    assert (times.diff() < 0).all()
    if steps <= 10:
        assert torch.equal(times, sampling_times(steps))


@pytest.mark.parametrize("steps", [0, -1, 1001])
def test_an_impossible_number_of_steps_is_refused(steps: int) -> None:
    with pytest.raises(InputError, match=f"not {steps}"):
        sampling_times(steps)


@pytest.mark.parametrize("beta_max", [0.3, 1.0])
def test_bridge_variances_are_the_sums_of_the_betas_on_either_side(beta_max: float) -> None:
    betas = []
    for index in range(500):
        first, last = 1e-4**0.5, (beta_max / 1000) ** 0.5
        betas.append((first + (last - first) * index / 999) ** 2)
    betas = torch.tensor(betas + betas[::-1], dtype=torch.float64)
    for node in (0, 1, 2, 499, 500, 501, 999, 1000):
        forward, backward = BridgeSchedule(beta_max).variances(torch.tensor([node / 1000], dtype=torch.float64))
        torch.testing.assert_close(forward, betas[:node].sum()[None], rtol=1e-9, atol=1e-15)
        torch.testing.assert_close(backward, betas[node:].sum()[None], rtol=1e-9, atol=1e-15)


def test_bridge_schedule_is_symmetric_and_linear_inside_an_interval() -> None:
    schedule = BridgeSchedule(0.3)
    forward, backward = schedule.variances(TIMES)
    torch.testing.assert_close(forward, schedule.variances(1 - TIMES)[1], rtol=1e-9, atol=1e-15)
    assert (forward.diff() > 0).all()
    assert (forward[0], backward[-1]) == (0, 0)
    ends, _ = schedule.variances(torch.tensor([0.123, 0.124], dtype=torch.float64))
    inside, _ = schedule.variances(torch.tensor([0.12325], dtype=torch.float64))
    torch.testing.assert_close(inside, ends[:1] * 0.75 + ends[1:] * 0.25, rtol=1e-12, atol=0)


def test_marginal_is_the_product_of_the_two_diffusions() -> None:
    """q(x_t | x_0, x_1) is proportional to N(x_t; x_0, forward) N(x_t; x_1, backward)."""
    schedule, times = BridgeSchedule(0.3), TIMES[1:-1]
    forward, backward = schedule.variances(times)
    precision = 1 / forward + 1 / backward
    weight_clean, weight_source, variance = schedule.marginal(times)
    torch.testing.assert_close(weight_clean, 1 / forward / precision)
    torch.testing.assert_close(weight_source, 1 / backward / precision)
    torch.testing.assert_close(variance, 1 / precision)


def test_marginal_is_certain_at_both_ends() -> None:
    weight_clean, weight_source, variance = BridgeSchedule(0.3).marginal(torch.tensor([0.0, 1.0], dtype=torch.float64))
    assert weight_clean.tolist() == [1, 0]
    assert weight_source.tolist() == [0, 1]
    assert variance.tolist() == [0, 0]


PAIRS = torch.tensor([[1.0, 0.9], [1.0, 0.001], [0.5, 0.25], [0.33, 0.329], [0.1, 0.001]], dtype=torch.float64).T


def test_posterior_follows_from_bayes_rule() -> None:
    """q(x_s | x_0, x_t) is proportional to N(x_s; x_0, forward_s) N(x_t; x_s, forward_t - forward_s)."""
    now, earlier = PAIRS
    schedule = BridgeSchedule(0.3)
    prior = schedule.variances(earlier)[0]
    likelihood = schedule.variances(now)[0] - prior
    precision = 1 / prior + 1 / likelihood
    weight, variance = schedule.posterior(now, earlier)
    torch.testing.assert_close(weight, 1 / likelihood / precision)
    torch.testing.assert_close(1 - weight, 1 / prior / precision)
    torch.testing.assert_close(variance, 1 / precision)


def test_posterior_carries_one_marginal_into_the_earlier_one() -> None:
    """Proposition 3.3: drawing x_t and then x_s from it is the same as drawing x_s at once."""
    now, earlier = PAIRS
    schedule = BridgeSchedule(0.3)
    clean_now, source_now, variance_now = schedule.marginal(now)
    clean_earlier, source_earlier, variance_earlier = schedule.marginal(earlier)
    weight, variance = schedule.posterior(now, earlier)
    torch.testing.assert_close(1 - weight + weight * clean_now, clean_earlier)
    torch.testing.assert_close(weight * source_now, source_earlier, rtol=1e-7, atol=1e-15)
    torch.testing.assert_close(variance + weight.square() * variance_now, variance_earlier)
