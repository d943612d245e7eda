"""Noise that does not depend on who else is in the batch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def item_noise(mask: Tensor, channels: int, generators: Sequence[torch.Generator]) -> Tensor:
    """Standard normal noise [B, channels, T] inside the mask [B, 1, T], zero outside; dtype and device of the mask.

    Each item draws from its own generator, on its own length and the generator's device: the same seed gives the same
    noise alone, in any batch and (from a CPU generator) on any device. The mask is one up to each item's length.

    Raises ValueError unless there is one generator per item.
    """
    if len(generators) != mask.shape[0]:
        raise ValueError(f"{mask.shape[0]} items need as many generators, not {len(generators)}")
    noise = mask.new_zeros(mask.shape[0], channels, mask.shape[2])
    lengths = mask.sum(dim=(1, 2)).long().tolist()
    for item, length, generator in zip(noise, lengths, generators, strict=True):
        item[:, :length] = torch.randn(
            channels, length, dtype=mask.dtype, device=generator.device, generator=generator
        ).to(mask.device)
    return noise
