"""What the decoder filters: pulses at an F0 that is read from the latent, and noise.

An inverse-STFT decoder alone has to invent every phase. With little training it flattens F0, and where nothing is
voiced it repeats one phase frame by frame, which is heard as a buzz at the frame rate. So, as in neural source-filter
models (Wang et al. 2019, arXiv 1904.12088), the phases come from a source and the network only filters it.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

REFERENCE_HZ = 160.0  # F0 is predicted in octaves around it
LOWEST_HZ, HIGHEST_HZ = 50.0, 700.0
NOISE_SEED = 0
BAND_SHARE = 0.95  # harmonics end just under half the sampling rate: none is folded back


class PitchPredictor(nn.Module):
    """Latent frames and speaker -> F0 and voicing."""

    def __init__(self, channels: int, speaker_channels: int, width: int = 192, kernel: int = 7) -> None:
        super().__init__()
        self.input = nn.Conv1d(channels, width, kernel, padding=kernel // 2)
        if speaker_channels:
            self.speaker = nn.Conv1d(speaker_channels, width, kernel_size=1)
        self.hidden = nn.ModuleList(nn.Conv1d(width, width, kernel, padding=kernel // 2) for _ in range(2))
        self.output = nn.Conv1d(width, 2, kernel_size=1)

    def forward(self, latent: Tensor, speaker: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[B, C, T] and speaker [B, G, 1] -> octaves above `REFERENCE_HZ` [B, T] and the logit of voicing [B, T]."""
        x = self.input(latent)
        if speaker is not None:
            x = x + self.speaker(speaker)
        for layer in self.hidden:
            x = layer(F.gelu(x))
        octaves, voicing = self.output(F.gelu(x)).unbind(1)
        return octaves, voicing

    def pitch(self, latent: Tensor, speaker: Tensor | None = None) -> Tensor:
        """[B, C, T] -> F0 in Hz [B, T], zero where unvoiced."""
        octaves, voicing = self(latent, speaker)
        pitch = (REFERENCE_HZ * torch.exp2(octaves)).clamp(LOWEST_HZ, HIGHEST_HZ)
        return pitch * (voicing > 0)

    @torch.no_grad()
    def f0_contour(self, latent: Tensor, speaker: Tensor) -> Tensor:
        """F0 contour of one sentence, [C, T] and speaker [G], as [2, T].

        Quarter octaves from the median of its F0, zero where unvoiced; and voicing, 0 or 1.
        """
        pitch = self.pitch(latent.unsqueeze(0), speaker.view(1, -1, 1) if len(speaker) else None)[0]
        voiced = pitch > 0
        octaves = torch.log2(pitch.clamp(min=LOWEST_HZ))
        middle = octaves[voiced].median() if voiced.any() else octaves.new_zeros(())
        return torch.stack([4 * (octaves - middle) * voiced, voiced.to(octaves)])


def f0_errors(octaves: Tensor, voicing: Tensor, hz: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """How far a predicted F0 is from the true one: semitones over voiced frames, cross-entropy of voicing over all.

    octaves above `REFERENCE_HZ`, logits of voicing, F0 in Hz (zero where unvoiced) and mask: all [B, T].
    """
    voiced = (hz > 0).float() * mask
    errors = (octaves - torch.log2(hz.clamp(min=1.0) / REFERENCE_HZ)).abs() * voiced
    semitones = 12 * errors.sum() / voiced.sum().clamp(min=1.0)
    cross_entropy = F.binary_cross_entropy_with_logits(voicing, voiced, reduction="none")
    return semitones, (cross_entropy * mask).sum() / mask.sum()


def pitch_features(pitch: Tensor) -> Tensor:
    """F0 in Hz [B, T], zero where unvoiced -> octaves above `REFERENCE_HZ` and voicing, [B, 2, T]."""
    voiced = (pitch > 0).to(pitch.dtype)
    octaves = torch.log2(pitch.clamp(min=LOWEST_HZ) / REFERENCE_HZ)
    return torch.stack([octaves * voiced, voiced], dim=1)


def pulses(pitch: Tensor, hop_length: int, sampling_rate: int) -> Tensor:
    """F0 in Hz [B, T], zero where unvoiced -> cosines of amplitude 1 at all harmonics, [B, T * hop_length].

    The sum of K cosines is closed: sin((K + 1/2) x) / (2 sin(x / 2)) - 1/2 (Dirichlet's kernel).
    """
    voiced = pitch > 0
    frames = torch.arange(pitch.shape[1], device=pitch.device)
    # F0 is held through what is unvoiced, so that the phase goes on from where it was.
    last = torch.where(voiced, frames, -1).cummax(dim=1).values.clamp(min=0)
    # In float32 the phase of a minute of speech would be wrong by whole harmonics.
    held = pitch.double().gather(1, last).clamp(LOWEST_HZ, HIGHEST_HZ).log()
    frequency = _per_sample(held, hop_length).exp()
    phase = (2 * math.pi * (torch.cumsum(frequency / sampling_rate, dim=1) % 1.0)).to(pitch.dtype)
    harmonics = torch.floor(BAND_SHARE * sampling_rate / 2 / frequency).to(pitch.dtype)
    half = torch.sin(phase / 2)
    kernel = torch.sin((harmonics + 0.5) * phase) / (2 * half.clamp(min=1e-4))
    kernel = torch.where(half < 1e-4, harmonics + 0.5, kernel) - 0.5
    return kernel * _per_sample(voiced.to(pitch.dtype), hop_length)


def noise(length: int, fresh: bool, device: torch.device) -> Tensor:
    """White noise of one deviation, [length]; the same every time unless `fresh`, so that equal latents sound equal."""
    if fresh:
        return torch.randn(length, device=device)
    return torch.randn(length, generator=torch.Generator().manual_seed(NOISE_SEED)).to(device)


def _per_sample(values: Tensor, hop_length: int) -> Tensor:
    """Frames [B, T], each at the middle of its hop -> samples [B, T * hop_length], linear between them."""
    return F.interpolate(values.unsqueeze(1), scale_factor=hop_length, mode="linear").squeeze(1)
