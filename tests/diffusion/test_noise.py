from __future__ import annotations

import pytest
import torch

from latent_edit.diffusion.noise import item_noise


def mask_of(*lengths: int, frames: int | None = None) -> torch.Tensor:
    steps = torch.arange(frames or max(lengths))
    return (steps < torch.tensor(lengths)[:, None]).double().unsqueeze(1)


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def test_noise_is_standard_normal_inside_the_mask_and_zero_outside() -> None:
    mask = mask_of(10_000, 7_500)
    noise = item_noise(mask, 4, seeded(1, 2))
    assert noise.dtype == torch.float64
    assert noise.shape == (2, 4, 10_000)
    assert (noise * (1 - mask) == 0).all()
    inside = noise[mask.expand_as(noise) > 0]
    assert abs(inside.mean()) < 0.02
    assert abs(inside.std() - 1) < 0.02


def test_an_item_draws_the_same_noise_alone_and_in_any_batch() -> None:
    together = item_noise(mask_of(5, 9, 7), 3, seeded(10, 11, 12))
    alone = item_noise(mask_of(5), 3, seeded(10))
    assert torch.equal(together[:1, :, :5], alone)
    assert not torch.equal(together[1, :, :5], alone[0])


def test_every_item_needs_its_own_generator() -> None:
    with pytest.raises(ValueError, match="2 items need as many generators, not 1"):
        item_noise(mask_of(3, 3), 2, seeded(0))
