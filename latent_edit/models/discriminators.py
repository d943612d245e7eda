"""Discriminators for training the decoder: periods (HiFi-GAN, 2010.05646) and STFT resolutions (UnivNet, 2106.07889).

They are small because they run on a CPU, and they ship beside the voice, so that training can go on from there.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

SLOPE = 0.1
DISCRIMINATORS_NAME = "discriminators.safetensors"  # beside a voice, to train it on


class PeriodDiscriminator(nn.Module):
    """Looks at every `period`-th sample as one row of an image."""

    def __init__(self, period: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.period = period
        sizes = (1, *channels)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(i, o, (5, 1), stride=(3, 1), padding=(2, 0))) for i, o in pairwise(sizes)
        )
        self.output = weight_norm(nn.Conv2d(sizes[-1], 1, (3, 1), padding=(1, 0)))

    def forward(self, samples: Tensor) -> tuple[Tensor, list[Tensor]]:
        """[B, N] -> (scores, features of every layer)."""
        rest = -samples.shape[1] % self.period
        x = nn.functional.pad(samples.unsqueeze(1), (0, rest), mode="reflect")
        x = x.reshape(x.shape[0], 1, -1, self.period)
        features = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), SLOPE)
            features.append(x)
        return self.output(x).flatten(1), features


class ResolutionDiscriminator(nn.Module):
    """Looks at the magnitude spectrogram of one STFT resolution."""

    window: Tensor

    def __init__(self, fft_size: int, channels: int) -> None:
        super().__init__()
        self.fft_size = fft_size
        strides = ((2, 1), (2, 1), (2, 2), (1, 1))
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(1 if index == 0 else channels, channels, (5, 3), stride=stride, padding=(2, 1)))
            for index, stride in enumerate(strides)
        )
        self.output = weight_norm(nn.Conv2d(channels, 1, 3, padding=1))
        self.register_buffer("window", torch.hann_window(fft_size), persistent=False)

    def forward(self, samples: Tensor) -> tuple[Tensor, list[Tensor]]:
        """[B, N] -> (scores, features of every layer)."""
        spectrum = torch.stft(samples, self.fft_size, self.fft_size // 4, window=self.window, return_complex=True)
        # The root compresses the range, so that quiet high harmonics count as much as loud low ones.
        x = (spectrum.real.square() + spectrum.imag.square() + 1e-7).pow(0.25).unsqueeze(1)
        features = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), SLOPE)
            features.append(x)
        return self.output(x).flatten(1), features


class Discriminators(nn.Module):
    """All of them; called on real and on generated samples [B, N]."""

    def __init__(
        self,
        periods: tuple[int, ...] = (2, 3, 5, 7, 11),
        period_channels: tuple[int, ...] = (16, 32, 64, 128),
        fft_sizes: tuple[int, ...] = (512, 1024, 256),
        resolution_channels: int = 16,
    ) -> None:
        super().__init__()
        self.members = nn.ModuleList(
            [PeriodDiscriminator(period, period_channels) for period in periods]
            + [ResolutionDiscriminator(size, resolution_channels) for size in fft_sizes]
        )

    def forward(self, samples: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Scores and features of every discriminator."""
        results = [member(samples) for member in self.members]
        return [scores for scores, _ in results], [features for _, features in results]


def discriminator_loss(real: list[Tensor], generated: list[Tensor]) -> Tensor:
    """Least-squares GAN, discriminator's side (VITS, arXiv 2106.06103, equation 10)."""
    return torch.stack(
        [(1 - r).square().mean() + g.square().mean() for r, g in zip(real, generated, strict=True)]
    ).sum()


def generator_loss(generated: list[Tensor]) -> Tensor:
    """Least-squares GAN, generator's side (VITS, equation 11)."""
    return torch.stack([(1 - g).square().mean() for g in generated]).sum()


def feature_loss(real: list[list[Tensor]], generated: list[list[Tensor]]) -> Tensor:
    """Feature matching (VITS, equation 12): mean absolute difference of every layer."""
    return torch.stack(
        [
            (r.detach() - g).abs().mean()
            for real_features, generated_features in zip(real, generated, strict=True)
            for r, g in zip(real_features, generated_features, strict=True)
        ]
    ).sum()
