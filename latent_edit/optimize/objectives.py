"""What latents can be asked for, each with a residual in an audible unit: see `solvers.Objective`.

None compares by value: they hold tensors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from latent_edit.measures import ACTIVE_RANGE_DB, TILT_EDGES_HZ
from latent_edit.models.harmonic_source import REFERENCE_HZ, f0_errors
from latent_edit.models.source_filter_decoder import SourceFilterDecoder
from latent_edit.models.spectrogram import LogMel, linear_spectrogram
from latent_edit.optimize.decoder_params import DecoderParameters, SpeakerDecoder

VOICING_WEIGHT = 0.1  # of the square of a logit, beside that of a semitone
LARGEST_LOGIT = 6.0  # of voicing; beyond, nothing changes


@dataclass(frozen=True, eq=False)
class F0Contour:
    """F0 as given, voicing as it was. hz: [1, T], zero where unvoiced. voicing: logits [1, T]. In semitones."""

    voice: SpeakerDecoder
    hz: Tensor
    voicing: Tensor

    @staticmethod
    def of(voice: SpeakerDecoder, start: Tensor, hz: Tensor) -> F0Contour:
        """With the voicing that a latent [1, C, T] has."""
        return F0Contour(voice, hz, voice.octaves_and_voicing(start)[1].clamp(-LARGEST_LOGIT, LARGEST_LOGIT))

    def residual(self, z: Tensor) -> Tensor:
        """Root mean square of semitones over voiced frames, and of logits of voicing."""
        voiced = (self.hz > 0).to(z)
        octaves, voicing = self.voice.octaves_and_voicing(z)
        wanted = torch.log2(self.hz.clamp(min=1.0) / REFERENCE_HZ)
        semitones = (12 * (octaves - wanted) * voiced).square().sum() / voiced.sum().clamp(min=1)
        logits = (voicing.clamp(-LARGEST_LOGIT, LARGEST_LOGIT) - self.voicing).square().mean()
        return (semitones + VOICING_WEIGHT * logits).sqrt()


@dataclass(frozen=True, eq=False)
class LevelAndTilt:
    """Level and tilt [2] in dB over active speech, at F0 in Hz [1, T]."""

    voice: SpeakerDecoder
    f0: Tensor
    db: Tensor

    def residual(self, z: Tensor) -> Tensor:
        """Euclidean distance in dB."""
        found = level_and_tilt(self.voice.decoder, self.voice.decode(z, self.f0))
        return (found - self.db).square().sum().sqrt()


def level_and_tilt(decoder: SourceFilterDecoder, samples: Tensor) -> Tensor:
    """Level and tilt [2] in dB of what a decoder speaks [1, N], pauses apart.

    By the definitions of `measures`: tilt is the energy above 1 kHz relative to that below.
    """
    power = linear_spectrogram(samples, decoder.filter_size, decoder.filter_hop)[0].square()
    frames = power.detach().sum(0)
    mean = power[:, frames >= frames.quantile(0.95) * 10 ** (-ACTIVE_RANGE_DB / 10)].mean(1)
    hertz = torch.linspace(0, decoder.sampling_rate / 2, len(mean), device=mean.device)
    low, middle, high = TILT_EDGES_HZ
    above, below = mean[(hertz >= middle) & (hertz <= high)], mean[(hertz >= low) & (hertz < middle)]
    level, upper, lower = (10 * torch.log10(part.sum() + 1e-20) for part in (mean, above, below))
    return torch.stack([level, upper - lower])


@dataclass(frozen=True, eq=False)
class HNR:
    """Harmonics over noise from `lowest` to `highest` dB, [2] in `HNR_BANDS_HZ`, at F0 in Hz [1, T]."""

    voice: SpeakerDecoder
    f0: Tensor
    lowest: Tensor
    highest: Tensor

    def residual(self, z: Tensor) -> Tensor:
        """How far outside, in dB (Euclidean distance)."""
        hnr = self.voice.analyse(z, self.f0).hnr
        return (hnr - hnr.clamp(self.lowest, self.highest)).square().sum().sqrt()


@dataclass(frozen=True, eq=False)
class LogMelMatch:
    """Log-mel spectra of a sound, each with what made it. f0: Hz [1, T] at which the latent is decoded."""

    voice: SpeakerDecoder
    f0: Tensor
    spectra: Sequence[tuple[LogMel, Tensor]]

    @staticmethod
    def of(voice: SpeakerDecoder, samples: Tensor, f0: Tensor, fft_sizes: Sequence[int]) -> LogMelMatch:
        """Spectra of samples [1, N] at several resolutions."""
        rate = voice.decoder.sampling_rate
        transforms = [LogMel(rate, size, size // 4, bins=size // 8).to(samples.device) for size in fft_sizes]
        return LogMelMatch(voice, f0, [(transform, transform(samples)) for transform in transforms])

    def residual(self, z: Tensor) -> Tensor:
        """Mean absolute difference in nepers."""
        samples = self.voice.decode(z, self.f0)
        return torch.stack([F.l1_loss(transform(samples), wanted) for transform, wanted in self.spectra]).mean()


@dataclass(frozen=True, eq=False)
class HeldF0:
    """F0 and voicing as they are. hz: [B, T], zero where unvoiced; mask: [B, T]."""

    voice: SpeakerDecoder
    hz: Tensor
    mask: Tensor

    def residual(self, z: Tensor) -> Tensor:
        """Mean absolute semitones, plus cross-entropy of voicing."""
        semitones, cross_entropy = f0_errors(*self.voice.octaves_and_voicing(z), self.hz, self.mask)
        return semitones + cross_entropy


@dataclass(frozen=True, eq=False)
class ParameterMatch:
    """The decoder parameters of a goal. mask: [B, 1, T]."""

    voice: SpeakerDecoder
    goal: DecoderParameters
    mask: Tensor

    def residual(self, z: Tensor) -> Tensor:
        """F0 in semitones, cross-entropy of voicing and three times the difference of both filters in nepers, added.

        So a semitone counts as 3 dB. Of the filters every octave counts the same. Latents [B, C, T].
        """
        goal = self.goal
        f0 = HeldF0(self.voice, goal.f0, self.mask.squeeze(1)).residual(z)
        found = self.voice.analyse(z, goal.f0)
        frames = goal.filter_frames(self.mask.squeeze(1))
        voiced = frames * goal.filter_frames(goal.f0 > 0)
        weights = octave_weights(goal.noise.shape[1]).to(goal.noise)
        noise = ((found.noise - goal.noise).abs() * weights * frames).sum() / frames.sum()
        pulses = ((found.pulses - goal.pulses).abs() * weights * voiced).sum() / voiced.sum().clamp(min=1.0)
        return f0 + 3 * (noise + pulses)


def octave_weights(bins: int) -> Tensor:
    """Of the bins of a filter, [bins, 1], adding up to one: those of each octave the same, below 1/64 of the band less.

    If bins counted alike, half of the say would be the highest octave's, and too much noise among the first harmonics,
    which drowns F0, would hardly matter.
    """
    weights = 1 / (torch.arange(bins) + bins / 64)
    return (weights / weights.sum()).unsqueeze(1)


@dataclass(frozen=True, eq=False)
class Nearness:
    """A latent [B, C, T] to stay near."""

    start: Tensor

    def residual(self, z: Tensor) -> Tensor:
        """Mean squared distance."""
        return (z - self.start).square().mean()
