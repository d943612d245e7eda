"""Losses and moments that the training of the voice needs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from latent_edit.models.spectrogram import linear_spectrogram


def multi_resolution_stft_loss(real: Tensor, generated: Tensor, sizes: tuple[int, ...] = (256, 512, 1024)) -> Tensor:
    """Mean absolute difference of log magnitudes at several resolutions (Parallel WaveGAN, arXiv 1910.11480, eq. 6)."""
    losses = [
        F.l1_loss(
            linear_spectrogram(generated, size, size // 4).clamp(min=1e-2).log(),
            linear_spectrogram(real, size, size // 4).clamp(min=1e-2).log(),
        )
        for size in sizes
    ]
    return torch.stack(losses).mean()


def frame_moments(values: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation per channel over the frames inside the mask: [B, C, T] -> [C], [C]."""
    count = mask.sum()
    mean = (values * mask).sum((0, 2)) / count
    variance = ((values - mean[:, None]).square() * mask).sum((0, 2)) / count
    return mean, variance.clamp(min=1e-8).sqrt()
