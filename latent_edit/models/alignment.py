"""Which frame belongs to which phoneme.

Monotonic alignment search (Glow-TTS, arXiv 2005.11129, section 3.2), and from durations to frames.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from latent_edit.types import Latent


@torch.no_grad()
def prior_log_likelihood(z_p: Tensor, mean: Tensor, log_deviation: Tensor) -> Tensor:
    """log N(z_p[t]; mean[p], exp(log_deviation[p])) for every frame and phoneme.

    z_p: [B, C, T] (after the flow). mean, log_deviation: [B, C, P]. Returns [B, T, P].
    """
    precision = torch.exp(-2 * log_deviation)
    constant = (-0.5 * math.log(2 * math.pi) - log_deviation - 0.5 * mean.square() * precision).sum(1, keepdim=True)
    frames = z_p.transpose(1, 2)
    return constant + frames @ (mean * precision) - 0.5 * frames.square() @ precision


@torch.no_grad()
def search_durations(log_likelihood: Tensor, frame_mask: Tensor, phoneme_mask: Tensor) -> Tensor:
    """Frames per phoneme on the most likely monotonic path, [B, P] int64.

    log_likelihood: [B, T, P]. frame_mask: [B, 1, T]. phoneme_mask: [B, 1, P].
    """
    from monotonic_alignment_search import maximum_path

    # The library wants phonemes first.
    pair_mask = phoneme_mask.transpose(1, 2) * frame_mask
    path = maximum_path(log_likelihood.transpose(1, 2).contiguous(), pair_mask, implementation="cython")
    return path.sum(2).long()


def expand(values: Tensor, durations: Tensor) -> Tensor:
    """Repeat each phoneme's column for its frames: [B, C, P] and [B, P] -> [B, C, T], zero after an item's end."""
    longest = int(durations.sum(1).max())
    ends = durations.cumsum(1)
    frames = torch.arange(longest, device=values.device).expand(values.shape[0], -1).contiguous()
    phoneme = torch.searchsorted(ends, frames, right=True)
    inside = phoneme < values.shape[2]
    index = phoneme.clamp(max=values.shape[2] - 1).unsqueeze(1).expand(-1, values.shape[1], -1)
    return values.gather(2, index) * inside.unsqueeze(1)


def draw_prior(
    mean: Tensor, log_deviation: Tensor, durations: Tensor, prior_noise: float, generator: torch.Generator | None
) -> Latent:
    """z_p [1, C, T] of phonemes [1, C, P] that last so many frames [P], with that part of the prior's deviation."""
    if len(durations) != mean.shape[2]:
        raise ValueError(f"{mean.shape[2]} symbols need as many durations, not {len(durations)}")
    mean, log_deviation = expand(mean, durations[None]), expand(log_deviation, durations[None])
    noise = torch.randn(mean.shape, generator=generator).to(mean)
    return Latent(mean + prior_noise * noise * log_deviation.exp(), torch.ones_like(mean[:, :1]))


def whole_frames(durations: Tensor) -> Tensor:
    """Whole frames [P] whose every partial sum is the rounded sum of `durations` [P]: no drift, whatever the pace."""
    ends = durations.double().cumsum(0).round().long()
    return torch.diff(ends, prepend=ends.new_zeros(1))


def same_moments(old: Tensor, new: Tensor) -> Tensor:
    """Where in a sentence with durations `old` [P] the middle of each frame of one with `new` [P] lies: [frames]."""
    old_ends, new_ends = (torch.nn.functional.pad(durations.cumsum(0), (1, 0)) for durations in (old, new))
    frames = int(whole_frames(new).sum())
    middles = (torch.arange(frames).to(new_ends) + 0.5) * new_ends[-1] / frames
    symbol = torch.searchsorted(new_ends, middles, right=True).clamp(1, len(new))
    within = (middles - new_ends[symbol - 1]) / new[symbol - 1].clamp(min=1e-9)
    return old_ends[symbol - 1] + within.clamp(0, 1) * old[symbol - 1] - 0.5


def length_mask(lengths: Tensor, longest: int | None = None) -> Tensor:
    """[B] lengths -> [B, 1, longest] float mask."""
    longest = int(lengths.max()) if longest is None else longest
    return (torch.arange(longest, device=lengths.device) < lengths.unsqueeze(1)).unsqueeze(1).float()
