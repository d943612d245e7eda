"""Palette, I2SB and regression in float64, against closed forms and against Gaussians whose best denoiser is known."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from latent_edit.diffusion.i2sb import I2SB
from latent_edit.diffusion.noise import item_noise
from latent_edit.diffusion.palette import Palette
from latent_edit.diffusion.process import Denoise, Diffusion
from latent_edit.diffusion.regression import Regression
from latent_edit.diffusion.schedules import BridgeSchedule, cosine_schedule

MEAN, DEVIATION = 3.0, 0.5  # of the Gaussian targets, far enough from 0 and 1 that a mistake shows
EVERY_PROCESS = [Palette(), I2SB(), I2SB(ot_ode=True), I2SB(source_noise=0.7), I2SB(ot_ode=True, source_noise=0.7)]
EVERY_PROCESS += [I2SB(predicts="change"), I2SB(source_noise=0.7, predicts="change")]


def sampled(process: Diffusion, *arguments: Any) -> Tensor:
    """What the last step predicts."""
    *_, edited = process.sample(*arguments)
    return edited


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def latents(seed: int, batch: int = 1, channels: int = 4, frames: int = 10_000) -> Tensor:
    return torch.randn(batch, channels, frames, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def whole(z: Tensor) -> Tensor:
    return torch.ones_like(z[:, :1])


def times(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# What training sees


@pytest.mark.parametrize("time", [0.1, 0.5, 0.97])
def test_palette_marginal(time: float) -> None:
    target = torch.full((1, 4, 10_000), MEAN, dtype=torch.float64)
    x_t, velocity = Palette().training_example(target * 0, target, whole(target), times(time), seeded(0))
    alpha, sigma = (float(factor) for factor in cosine_schedule(times(time)))
    assert float(x_t.mean()) == pytest.approx(alpha * MEAN, abs=5 * sigma / len(x_t.flatten()) ** 0.5)
    assert float(x_t.std()) == pytest.approx(sigma, rel=0.02)
    noise = item_noise(whole(target), 4, seeded(0))
    torch.testing.assert_close(velocity, alpha * noise - sigma * target)


@pytest.mark.parametrize("time", [0.05, 0.5, 0.9])
def test_i2sb_marginal_is_a_brownian_motion_pinned_at_both_ends(time: float) -> None:
    """Compared with paths that are really walked: W in two stretches, then tied to x_1 at t = 1."""
    target, source = torch.full((1, 4, 10_000), MEAN, dtype=torch.float64), latents(1)
    forward, backward = (float(variance) for variance in BridgeSchedule(0.3).variances(times(time)))
    walked = target + forward**0.5 * latents(2)
    end = walked + backward**0.5 * latents(3)
    walked = walked + forward / (forward + backward) * (source - end)
    x_t, label = I2SB().training_example(source, target, whole(target), times(time), seeded(0))
    assert float(x_t.mean()) == pytest.approx(float(walked.mean()), abs=0.02)
    assert float(x_t.var()) == pytest.approx(float(walked.var()), rel=0.04)
    correlations = [float(torch.corrcoef(torch.stack([x.flatten(), source.flatten()]))[0, 1]) for x in (x_t, walked)]
    assert correlations[0] == pytest.approx(correlations[1], abs=0.02)
    torch.testing.assert_close(label, (x_t - target) / forward**0.5)


def test_ot_ode_is_the_noiseless_mean_of_the_bridge() -> None:
    target, source = latents(0, frames=50), latents(1, frames=50)
    for time in (0.0, 0.4, 1.0):
        x_t, _ = I2SB(ot_ode=True).training_example(source, target, whole(target), times(time), seeded(0))
        forward, backward = (float(v) for v in BridgeSchedule(1.0).variances(times(max(time, 1e-4))))
        torch.testing.assert_close(x_t, (backward * target + forward * source) / (forward + backward))


def test_source_noise_moves_only_the_start_of_the_bridge() -> None:
    target, source = latents(0), latents(1)
    x_t, _ = I2SB(source_noise=0.7).training_example(source, target, whole(target), times(1.0), seeded(0))
    assert float((x_t - source).std()) == pytest.approx(0.7, rel=0.02)
    x_t, _ = I2SB(source_noise=0.7).training_example(source, target, whole(target), times(0.0), seeded(0))
    torch.testing.assert_close(x_t, target, rtol=0, atol=0.05)


@pytest.mark.parametrize("process", EVERY_PROCESS)
def test_the_regression_target_stands_for_the_clean_latent(process: Diffusion) -> None:
    target, source = 50 * latents(0, 5, 3, 20), latents(1, 5, 3, 20)  # far outside [-1, 1]: nothing may be clamped
    time = times(0.0, 1e-5, 0.3, 0.999, 1.0)
    x_t, wanted = process.training_example(source, target, whole(target), time, seeded(*range(5)))
    assert wanted.isfinite().all()
    torch.testing.assert_close(process.predict_clean(x_t, source, time, wanted), target, rtol=0, atol=1e-10)


@pytest.mark.parametrize("process", EVERY_PROCESS)
def test_training_puts_no_noise_outside_the_mask(process: Diffusion) -> None:
    mask = torch.ones(2, 1, 10, dtype=torch.float64)
    mask[1, :, 6:] = 0
    target, source = latents(0, 2, 3, 10) * mask, latents(1, 2, 3, 10) * mask
    x_t, wanted = process.training_example(source, target, mask, times(0.5, 0.5), seeded(0, 1))
    assert not (x_t * (1 - mask)).any()
    assert not (wanted * (1 - mask)).any()
    assert (x_t[1, :, :6] != 0).all()


# Sampling with the best possible denoiser of a Gaussian


def best_velocity(x_t: Tensor, t: Tensor, _source: Tensor) -> Tensor:
    """E[v | x_t] when x_0 ~ N(MEAN, DEVIATION^2)."""
    alpha, sigma = (factor.view(-1, 1, 1) for factor in cosine_schedule(t))
    gain = alpha * DEVIATION**2 / (alpha**2 * DEVIATION**2 + sigma**2)
    clean = MEAN + gain * (x_t - alpha * MEAN)
    return (alpha * x_t - clean) / sigma


def best_label(x_t: Tensor, t: Tensor, source: Tensor) -> Tensor:
    """E[(x_t - x_0) / sigma_t | x_t, x_1] when x_0 given x_1 is N(MEAN + 0.5 x_1, DEVIATION^2): Bayes' rule."""
    schedule = BridgeSchedule(0.3)
    sigma = schedule.variances(t)[0].sqrt().view(-1, 1, 1)
    weight_clean, weight_source, variance = (value.view(-1, 1, 1) for value in schedule.marginal(t))
    expected = MEAN + 0.5 * source
    gain = weight_clean * DEVIATION**2 / (weight_clean**2 * DEVIATION**2 + variance).clamp(min=1e-300)
    clean = expected + gain * (x_t - weight_clean * expected - weight_source * source)
    return (x_t - clean) / sigma


def test_palette_recovers_a_gaussian() -> None:
    source = torch.zeros(1, 4, 25_000, dtype=torch.float64)
    edited = sampled(Palette(), best_velocity, source, whole(source), 200, seeded(0))
    assert float(edited.mean()) == pytest.approx(MEAN, abs=0.02)
    assert float(edited.std()) == pytest.approx(DEVIATION, rel=0.02)
    # The exact flow of a Gaussian maps each noise value to MEAN + DEVIATION noise.
    exact = MEAN + DEVIATION * item_noise(whole(source), 4, seeded(0))
    torch.testing.assert_close(edited, exact, rtol=0, atol=0.02)


def test_i2sb_recovers_the_mean_and_the_variance_given_the_source() -> None:
    source = latents(1, frames=10_000)
    edited = sampled(I2SB(), best_label, source, whole(source), 200, seeded(0))
    rest = edited - (MEAN + 0.5 * source)
    assert float(rest.mean()) == pytest.approx(0, abs=0.02)
    assert float(rest.std()) == pytest.approx(DEVIATION, rel=0.03)
    assert float((rest * source).mean()) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_ot_ode_transports_a_gaussian_exactly_in_any_number_of_steps(steps: int) -> None:
    """x_0 = MEAN + DEVIATION x_1 is the optimal transport; the denoiser must find x_1 in x_t, not in the source."""
    process, source = I2SB(ot_ode=True), latents(1, frames=10_000)

    def denoise(x_t: Tensor, t: Tensor, _source: Tensor) -> Tensor:
        sigma = process.schedule.variances(t)[0].sqrt().view(-1, 1, 1)
        weight_clean, weight_source, _ = (value.view(-1, 1, 1) for value in process.schedule.marginal(t))
        start = (x_t - weight_clean * MEAN) / (weight_clean * DEVIATION + weight_source)
        return (x_t - MEAN - DEVIATION * start) / sigma

    edited = sampled(process, denoise, source, whole(source), steps, seeded(0))
    torch.testing.assert_close(edited, MEAN + DEVIATION * source, rtol=0, atol=1e-10)
    assert float(edited.mean()) == pytest.approx(MEAN, abs=0.02)
    assert float(edited.std()) == pytest.approx(DEVIATION, rel=0.02)


def test_ot_ode_uses_no_randomness() -> None:
    source = latents(1, frames=30)
    first, second = (
        sampled(I2SB(ot_ode=True), rough_network, source, whole(source), 5, seeded(seed)) for seed in (1, 2)
    )
    assert torch.equal(first, second)


@pytest.mark.parametrize("predicts", ["label", "change"])
def test_regression_finds_the_mean_of_the_targets_in_one_call(predicts: Any) -> None:
    """The best least squares prediction of MEAN + 0.5 x_1 + noise is MEAN + 0.5 x_1, by either parametrisation."""
    process, source = Regression(predicts), latents(1)
    target = MEAN + 0.5 * source + DEVIATION * latents(2)
    x_t, wanted = process.training_example(source, target, whole(source), times(0.3), seeded(0))
    assert torch.equal(x_t, source)
    torch.testing.assert_close(process.predict_clean(x_t, source, times(0.3), wanted), target)
    calls = []

    def denoise(x_t: Tensor, t: Tensor, given: Tensor) -> Tensor:
        """The best line, by least squares."""
        calls.append(t.tolist())
        assert torch.equal(x_t, given)
        slope, level = torch.linalg.lstsq(
            torch.stack([source.flatten(), torch.ones_like(source.flatten())], 1), wanted.flatten()[:, None]
        ).solution.flatten()
        return slope * x_t + level

    edited = [
        sampled(process, denoise, source, whole(source), steps, seeded(seed)) for steps, seed in ((1, 0), (10, 1))
    ]
    assert calls == [[1.0]] * 2
    torch.testing.assert_close(*edited)
    assert float((edited[0] - (MEAN + 0.5 * source)).abs().max()) < 0.05


# What every sampler promises


def rough_network(x_t: Tensor, t: Tensor, source: Tensor) -> Tensor:
    """Not a good network, and one that leaks outside the mask; but elementwise."""
    return 0.3 * x_t - 0.2 * source * x_t + t.view(-1, 1, 1) + 0.1


@pytest.mark.parametrize("process", EVERY_PROCESS)
def test_results_do_not_depend_on_the_batch(process: Diffusion) -> None:
    lengths, seeds = (12, 30, 21), (5, 6, 7)
    mask = (torch.arange(30) < torch.tensor(lengths)[:, None]).double().unsqueeze(1)
    source = latents(1, 3, 4, 30) * mask
    together = sampled(process, rough_network, source, mask, 6, seeded(*seeds))
    assert not (together * (1 - mask)).any()
    for index, (length, seed) in enumerate(zip(lengths, seeds, strict=True)):
        item = source[index : index + 1, :, :length]
        alone = sampled(process, rough_network, item, whole(item), 6, seeded(seed))
        torch.testing.assert_close(together[index : index + 1, :, :length], alone, rtol=0, atol=1e-13)


@pytest.mark.parametrize("process", EVERY_PROCESS)
def test_the_network_always_receives_the_clean_source_and_falling_times(process: Diffusion) -> None:
    source = latents(1, 2, 3, 10)
    seen = []

    def denoise(x_t: Tensor, t: Tensor, given: Tensor) -> Tensor:
        assert torch.equal(given, source)
        assert x_t.shape == source.shape
        seen.append(t)
        return torch.zeros_like(x_t)

    sampled(process, denoise, source, whole(source), 4, seeded(0, 1))
    torch.testing.assert_close(torch.stack(seen), times(1, 0.75, 0.5, 0.25)[:, None].expand(4, 2))


@pytest.mark.parametrize("process", EVERY_PROCESS)
def test_each_step_gives_its_clean_prediction_when_it_is_asked_for(process: Diffusion) -> None:
    """So that a sampling that nobody waits for any more ends with its step."""
    source, calls = latents(1, 1, 3, 10), []

    def denoise(x_t: Tensor, t: Tensor, given: Tensor) -> Tensor:
        calls.append(t)
        return rough_network(x_t, t, given)

    steps = process.sample(denoise, source, whole(source), 5, seeded(0))
    first = next(steps)
    assert len(calls) == 1
    rest = list(steps)
    assert len(calls) == 5 and len(rest) == 4
    assert not torch.equal(first, rest[-1])


@pytest.mark.parametrize("process", EVERY_PROCESS)
def test_float32_stays_float32(process: Diffusion) -> None:
    source = latents(1, 1, 3, 10)
    types = []

    def denoise(x_t: Tensor, t: Tensor, given: Tensor) -> Tensor:
        types.append((x_t.dtype, t.dtype, given.dtype))
        return rough_network(x_t, t, given)

    edited = sampled(process, denoise, source.float(), whole(source).float(), 5, seeded(0))
    assert edited.dtype == torch.float32
    assert set(types) == {(torch.float32,) * 3}


def test_sampling_builds_no_graph() -> None:
    weight = torch.ones(1, dtype=torch.float64, requires_grad=True)
    source = latents(1, 1, 3, 10)
    denoise: Denoise = lambda x_t, t, given: weight * x_t  # noqa: E731, ARG005
    for process in (Palette(), I2SB()):
        assert not sampled(process, denoise, source, whole(source), 2, seeded(0)).requires_grad
