from __future__ import annotations

import pytest
import torch
from torch import Tensor

from latent_edit.diffusion.guidance import guided
from latent_edit.diffusion.i2sb import I2SB
from latent_edit.diffusion.palette import Palette

X = torch.randn(2, 3, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def conditional(x_t: Tensor, t: Tensor, source: Tensor) -> Tensor:
    return 0.3 * x_t + t.view(-1, 1, 1) - source / 3


def unconditional(x_t: Tensor, t: Tensor, source: Tensor) -> Tensor:
    return 0.7 * x_t - t.view(-1, 1, 1) + source / 7


def never(_x_t: Tensor, _t: Tensor, _source: Tensor) -> Tensor:
    raise AssertionError("this side must not be called")


def time(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize("process", [Palette(), I2SB(), I2SB(ot_ode=True)])
@pytest.mark.parametrize("interval", [(0.0, 1.0), (0.2, 0.6)])
def test_scale_one_is_conditional_and_zero_unconditional_bit_for_bit(
    process: Palette | I2SB, interval: tuple[float, float]
) -> None:
    def sample(denoise: object) -> Tensor:
        generators = [torch.Generator().manual_seed(seed) for seed in (1, 2)]
        *_, edited = process.sample(denoise, X, torch.ones_like(X[:, :1]), 5, generators)
        return edited

    assert torch.equal(sample(guided(conditional, never, 1.0, interval)), sample(conditional))
    assert torch.equal(sample(guided(never, unconditional, 0.0, interval)), sample(unconditional))
    assert not torch.equal(sample(conditional), sample(unconditional))


@pytest.mark.parametrize("scale", [0.4, 2.0, 10.0, -1.0])
def test_guidance_extrapolates(scale: float) -> None:
    t = time(0.3, 0.8)
    weak, strong = unconditional(X, t, X), conditional(X, t, X)
    torch.testing.assert_close(
        guided(conditional, unconditional, scale)(X, t, X), weak + scale * (strong - weak), rtol=1e-12, atol=1e-12
    )


def test_outside_the_interval_nothing_is_extrapolated() -> None:
    t = time(0.5, 0.9)
    prediction = guided(conditional, unconditional, 3.0, (0.2, 0.6))(X, t, X)
    weak, strong = unconditional(X, t, X), conditional(X, t, X)
    torch.testing.assert_close(prediction[0], (weak + 3 * (strong - weak))[0])
    assert torch.equal(prediction[1], strong[1])
    assert torch.equal(
        guided(conditional, never, 3.0, (0.2, 0.6))(X, time(0.9, 0.1), X), conditional(X, time(0.9, 0.1), X)
    )


def test_a_weakened_style_is_weak_everywhere() -> None:
    t = time(0.5, 0.9)
    everywhere = guided(conditional, unconditional, 0.5)(X, t, X)
    assert torch.equal(guided(conditional, unconditional, 0.5, (0.2, 0.6))(X, t, X), everywhere)


def test_rescaling_takes_back_the_size_and_not_the_direction() -> None:
    t = time(0.3, 0.8)
    plain, strong = guided(conditional, unconditional, 3.0)(X, t, X), conditional(X, t, X)
    for rescale in (0.4, 1.0):
        result = guided(conditional, unconditional, 3.0, rescale=rescale)(X, t, X)
        share = (result / plain).flatten(1)
        torch.testing.assert_close(share, share[:, :1].expand_as(share))
        ratio = strong.flatten(1).norm(dim=1) / plain.flatten(1).norm(dim=1)
        torch.testing.assert_close(share[:, 0], 1 - rescale + rescale * ratio)
    weak = guided(conditional, unconditional, 0.5)(X, t, X)
    assert torch.equal(guided(conditional, unconditional, 0.5, rescale=1.0)(X, t, X), weak)
