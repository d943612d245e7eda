"""F0 of a latent as the decoder reads it: the slow part that is intonation, the quick rest, and a goal for both."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from latent_edit.measures import TREMOR_BAND_HZ, TREND_SECONDS
from latent_edit.models.harmonic_source import REFERENCE_HZ, PitchPredictor
from latent_edit.models.projections import Missed

# Octaves below the median: F0 gets no lower than the one, and from the other on it bends.
LOWEST, BENT = 0.5, 0.3
VOICING_WEIGHT = 0.1  # of the square of a logit, beside that of a semitone


def trend(pitch: Tensor, frames_per_second: float) -> Tensor:
    """Octaves of the voiced frames [V] of F0 in Hz [T], zero where unvoiced, each the mean of its surroundings."""
    voiced = pitch > 0
    reach = math.ceil(4 * TREND_SECONDS * frames_per_second)
    seconds = torch.arange(-reach, reach + 1, device=pitch.device) / frames_per_second
    kernel = torch.exp(-0.5 * (seconds / TREND_SECONDS) ** 2).view(1, 1, -1)
    both = torch.stack([torch.log2(pitch.clamp(min=1.0)) * voiced, voiced.to(pitch)]).unsqueeze(1)
    total, weight = F.conv1d(both, kernel, padding=reach).squeeze(1)
    return total[voiced] / weight[voiced]


def spread(octaves: Tensor) -> float:
    """The range of F0: from the 10th to the 90th percentile of voiced octaves [V], in octaves."""
    low, high = octaves.quantile(octaves.new_tensor([0.1, 0.9])).tolist()
    return max(high - low, 1e-3)


def depth(quick: Tensor) -> float:
    """Zero to peak of a wave of such power as a quick part of F0 [V] has, in its unit."""
    return max(math.sqrt(2 * float(quick.square().mean())), 1e-6) if len(quick) else 1e-6


def wave(quick: Tensor, seconds: Tensor) -> Tensor:
    """The strongest regular wave of a tremor's rate in the quick part of F0 [V], at so many seconds [V]: [V].

    By least squares, as `measures` finds it in a clip.
    """
    if len(quick) < 2:
        return torch.zeros_like(quick)
    rates = torch.arange(*TREMOR_BAND_HZ, 0.1, device=quick.device)
    angles = 2 * math.pi * seconds * rates.unsqueeze(1)
    strongest = angles[(torch.polar(torch.ones_like(angles), angles) @ quick.to(torch.complex64)).abs().argmax()]
    basis = torch.stack([strongest.cos(), strongest.sin()], dim=1)
    return basis @ torch.linalg.lstsq(basis, quick.unsqueeze(1)).solution.squeeze(1)


def widened(slow: Tensor, quick: Tensor, wanted: float, most: float = math.inf) -> Tensor:
    """Octaves [V] of some range: a trend [V] as much wider as it takes, up to `most` times, and the rest [V] as is.

    It is the top that moves: a voice falls to the same lowest tone whatever its range (Liberman and Pierrehumbert 1984,
    "Intonational invariance under changes in pitch range and length").
    """
    middle, wide, octaves = slow.median(), 1.0, slow
    for _ in range(5):  # the rest has a part in the range
        octaves = middle + _above_the_lowest(wide * (slow - middle) + quick)
        wide = min(wide * min(max(wanted / spread(octaves), 0.5), 2.0), most)
    return octaves


def _above_the_lowest(octaves: Tensor) -> Tensor:
    """Octaves from the median, bent so that none comes near `LOWEST`."""
    below = (-octaves - BENT).clamp(min=0)
    room = LOWEST - BENT
    return octaves + below - room * torch.tanh(below / room)


def towards(predict: PitchPredictor, embedding: Tensor | None, start: Tensor, pitch: Tensor) -> Missed:
    """A goal: F0 as in `pitch`, in Hz [1, T] and zero where unvoiced, and voicing as in `start` [1, C, T]."""
    voiced = (pitch > 0).to(start)
    wanted = torch.log2(pitch.clamp(min=1.0) / REFERENCE_HZ)
    with torch.no_grad():
        held = predict(start, embedding)[1].clamp(-6, 6)

    def missed(z: Tensor) -> Tensor:
        octaves, voicing = predict(z, embedding)
        errors = (12 * (octaves - wanted) * voiced).square().sum() / voiced.sum().clamp(min=1)
        return errors + VOICING_WEIGHT * (voicing.clamp(-6, 6) - held).square().mean()

    return missed
