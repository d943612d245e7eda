"""Losses and features that the training of voice and bridge needs."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from latent_edit.models.harmonic_source import REFERENCE_HZ
from latent_edit.models.istft_vits import SUBFRAMES, IstftDecoder
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


def pitch_errors(octaves: Tensor, voicing: Tensor, pitch: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """How far a predicted F0 is from the true one: semitones over voiced frames, cross-entropy of voicing over all.

    octaves above `REFERENCE_HZ`, logits of voicing, pitch in Hz (zero where unvoiced) and mask: all [B, T].
    """
    voiced = (pitch > 0).float() * mask
    errors = (octaves - torch.log2(pitch.clamp(min=1.0) / REFERENCE_HZ)).abs() * voiced
    semitones = 12 * errors.sum() / voiced.sum().clamp(min=1.0)
    doubt = F.binary_cross_entropy_with_logits(voicing, voiced, reduction="none")
    return semitones, (doubt * mask).sum() / mask.sum()


def heard_difference(decoder: IstftDecoder, latent: Tensor, target: Tensor, speaker: Tensor, mask: Tensor) -> Tensor:
    """How differently a frozen decoder would speak a latent and its target: F0, voicing and the filters of its sources.

    F0 in semitones, cross-entropy of the target's voicing (yes or no) and twice the filters' difference in nepers,
    added: a semitone counts as half a neper (4 dB). A latent's mean squared error hardly sees F0, which takes little of
    its variance. latent, target [B, C, T], speaker [B, G], mask [B, 1, T].
    """
    embedding = speaker.unsqueeze(2) if speaker.shape[1] else None
    with torch.no_grad():
        pitch = decoder.pitch.pitch(target, embedding)
        noise_goal, pulse_goal, _ = decoder.filters(target, embedding, pitch)
    octaves, voicing = decoder.pitch(latent, embedding)
    semitones, doubt = pitch_errors(octaves, voicing, pitch, mask.squeeze(1))
    noise, pulse, _ = decoder.filters(latent, embedding, pitch)
    frames = mask.repeat_interleave(SUBFRAMES, dim=2)
    voiced = frames * (pitch > 0).repeat_interleave(SUBFRAMES, dim=1).unsqueeze(1)
    breath = ((noise - noise_goal).abs() * frames).mean(1).sum() / frames.sum()
    tone = ((pulse - pulse_goal).abs() * voiced).mean(1).sum() / voiced.sum().clamp(min=1.0)
    return semitones + doubt + 2 * (breath + tone)
