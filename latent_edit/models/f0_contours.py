"""F0 contours: voiced octaves [V], their trend, and what moves faster. Measures as in `measures`, but in torch."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from latent_edit.measures import TREMOR_BAND_HZ, TREND_SECONDS

LOWEST_OCTAVES, BENT_OCTAVES = 0.5, 0.3  # below the median: F0 gets no lower than the one, and bends from the other on


class F0Parts(NamedTuple):
    """F0 and its parts, in octaves of the voiced frames [V]: trend, what moves faster, and of that the regular wave.

    See `f0_trend` and `f0_modulation`.
    """

    octaves: Tensor
    trend: Tensor
    fast: Tensor
    wave: Tensor


def f0_parts(f0: Tensor, frames_per_second: float) -> F0Parts:
    """Of F0 in Hz [T], zero where unvoiced."""
    voiced = f0 > 0
    octaves, trend = torch.log2(f0[voiced]), f0_trend(f0, frames_per_second)
    wave = f0_modulation(octaves - trend, voiced.nonzero().squeeze(1) / frames_per_second)
    return F0Parts(octaves, trend, octaves - trend, wave)


def f0_trend(f0: Tensor, frames_per_second: float) -> Tensor:
    """Octaves of the voiced frames [V] of F0 in Hz [T], zero where unvoiced, each the mean of its surroundings."""
    voiced = f0 > 0
    reach = math.ceil(4 * TREND_SECONDS * frames_per_second)
    seconds = torch.arange(-reach, reach + 1, device=f0.device) / frames_per_second
    kernel = torch.exp(-0.5 * (seconds / TREND_SECONDS) ** 2).view(1, 1, -1)
    both = torch.stack([torch.log2(f0.clamp(min=1.0)) * voiced, voiced.to(f0)]).unsqueeze(1)
    total, weight = F.conv1d(both, kernel, padding=reach).squeeze(1)
    return total[voiced] / weight[voiced]


def f0_range(octaves: Tensor) -> float:
    """From the 10th to the 90th percentile of voiced octaves [V], in octaves."""
    low, high = octaves.quantile(octaves.new_tensor([0.1, 0.9])).tolist()
    return max(high - low, 1e-3)


def modulation_depth(fast: Tensor) -> float:
    """Zero to peak of a sinusoid with the power of the fast part of F0 [V], in its unit."""
    return max(math.sqrt(2 * float(fast.square().mean())), 1e-6) if len(fast) else 1e-6


def f0_modulation(fast: Tensor, seconds: Tensor) -> Tensor:
    """The strongest sinusoid of a tremor's rate in the fast part of F0 [V], at so many seconds [V]: [V].

    By least squares, as `measures` finds it in a clip.
    """
    if len(fast) < 2:
        return torch.zeros_like(fast)
    rates = torch.arange(*TREMOR_BAND_HZ, 0.1, device=fast.device)
    angles = 2 * math.pi * seconds * rates.unsqueeze(1)
    strongest = angles[(torch.polar(torch.ones_like(angles), angles) @ fast.to(torch.complex64)).abs().argmax()]
    basis = torch.stack([strongest.cos(), strongest.sin()], dim=1)
    return basis @ torch.linalg.lstsq(basis, fast.unsqueeze(1)).solution.squeeze(1)


def with_range(trend: Tensor, fast: Tensor, wanted: float, most: float = math.inf) -> Tensor:
    """Octaves [V] of a wanted range: a trend [V] as much wider as it takes, up to `most` times, the fast part as it is.

    It is the top that moves: a voice falls to the same lowest tone whatever its range (Liberman and Pierrehumbert 1984,
    "Intonational invariance under changes in pitch range and length").
    """
    median, factor, octaves = trend.median(), 1.0, trend
    for _ in range(5):  # the fast part has a share in the range
        octaves = median + _above_the_lowest(factor * (trend - median) + fast)
        factor = min(factor * min(max(wanted / f0_range(octaves), 0.5), 2.0), most)
    return octaves


def _above_the_lowest(octaves: Tensor) -> Tensor:
    """Octaves from the median, bent so that none comes near `LOWEST_OCTAVES`."""
    below = (-octaves - BENT_OCTAVES).clamp(min=0)
    room = LOWEST_OCTAVES - BENT_OCTAVES
    return octaves + below - room * torch.tanh(below / room)
