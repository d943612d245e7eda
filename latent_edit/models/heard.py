"""What the decoder of the embedded voice makes of a latent, and how far that is from a goal.

It tells F0, voicing and the filters of its two sources apart, so they can be asked for one by one. The mean squared
error of a latent hardly sees them: F0 and breath take little of its variance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from latent_edit.measures import TILT_EDGES_HZ, breath_share
from latent_edit.models.harmonic_source import REFERENCE_HZ
from latent_edit.models.source_filter_decoder import IstftDecoder

CLEAR_BELOW_HZ = 500.0
# Of the share of power that WORLD turns into noise: recordings have noise of their own, and with all of it a reading,
# which has little, would lose half as much harmonicity again as they do in WORLD's renditions.
SHARE = 0.75


@dataclass(frozen=True)
class Heard:
    """pitch: F0 in Hz [B, T], zero where unvoiced. noise, pulse: log magnitudes of the filters that noise and pulses go
    through, [B, bins, subframes * T]."""

    pitch: Tensor
    noise: Tensor
    pulse: Tensor


@torch.no_grad()
def hear(decoder: IstftDecoder, latent: Tensor, speaker: Tensor) -> Heard:
    """What is heard of latents [B, C, T] of speakers [B, G]."""
    embedding = as_condition(speaker)
    pitch = decoder.pitch.pitch(latent, embedding)
    noise, pulse, _ = decoder.filters(latent, embedding, pitch)
    return Heard(pitch, noise, pulse)


def heard_difference(decoder: IstftDecoder, latent: Tensor, goal: Heard, speaker: Tensor, mask: Tensor) -> Tensor:
    """How differently a frozen decoder would speak a latent and a goal: F0, voicing and the filters of its sources.

    F0 in semitones, cross-entropy of the goal's voicing (yes or no) and three times the difference of both filters in
    nepers, added: a semitone counts as 3 dB. Of the filters every octave counts the same. latent [B, C, T], speaker
    [B, G], mask [B, 1, T].
    """
    embedding = as_condition(speaker)
    octaves, voicing = decoder.pitch(latent, embedding)
    semitones, doubt = pitch_errors(octaves, voicing, goal.pitch, mask.squeeze(1))
    noise, pulse, _ = decoder.filters(latent, embedding, goal.pitch)
    frames = in_subframes(mask.squeeze(1), noise)
    voiced = frames * in_subframes(goal.pitch > 0, noise)
    weights = octave_weights(noise.shape[1]).to(noise)
    breath = ((noise - goal.noise).abs() * weights * frames).sum() / frames.sum()
    tone = ((pulse - goal.pulse).abs() * weights * voiced).sum() / voiced.sum().clamp(min=1.0)
    return semitones + doubt + 3 * (breath + tone)


def octave_weights(bins: int) -> Tensor:
    """Of the bins of a filter, [bins, 1], adding up to one: those of each octave the same, below 1/64 of the band less.

    If bins counted alike, half of the say would be the highest octave's, and too much noise among the first harmonics,
    which drowns the melody, would hardly matter.
    """
    weights = 1 / (torch.arange(bins) + bins / 64)
    return (weights / weights.sum()).unsqueeze(1)


def pitch_errors(octaves: Tensor, voicing: Tensor, pitch: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """How far a predicted F0 is from the true one: semitones over voiced frames, cross-entropy of voicing over all.

    octaves above `REFERENCE_HZ`, logits of voicing, pitch in Hz (zero where unvoiced) and mask: all [B, T].
    """
    voiced = (pitch > 0).float() * mask
    errors = (octaves - torch.log2(pitch.clamp(min=1.0) / REFERENCE_HZ)).abs() * voiced
    semitones = 12 * errors.sum() / voiced.sum().clamp(min=1.0)
    doubt = F.binary_cross_entropy_with_logits(voicing, voiced, reduction="none")
    return semitones, (doubt * mask).sum() / mask.sum()


def pulses_over_noise(pitch: Tensor, sampling_rate: int) -> Tensor:
    """Power of cosines of amplitude 1 at every harmonic of F0 in Hz, relative to noise of deviation 1 in that band."""
    return sampling_rate / 4 / pitch.clamp(min=1.0)


def clearness(noise: Tensor, pulse: Tensor, pitch: Tensor, sampling_rate: int) -> Tensor:
    """How far the pulses stand above the noise below `CLEAR_BELOW_HZ`, where the first harmonics are, in dB, [].

    noise, pulse: log magnitudes of the filters, [1, bins, subframes * T]; pitch: F0 in Hz [1, T], of which only the
    voiced frames count. Breath masks the upper harmonics first (Klatt & Klatt 1990, JASA 87): noise down here drowns
    the melody.
    """
    hertz = torch.linspace(0, sampling_rate / 2, noise.shape[1], device=noise.device)
    first = (hertz >= TILT_EDGES_HZ[0]) & (hertz < CLEAR_BELOW_HZ)
    voiced = in_subframes(pitch, noise)[0, 0]
    relative = pulses_over_noise(voiced, sampling_rate) * (voiced > 0)
    tone = ((2 * pulse[0, first]).exp() * relative).sum()
    breath = ((2 * noise[0, first]).exp() * (voiced > 0)).sum()
    return 10 * (torch.log10(tone + 1e-12) - torch.log10(breath + 1e-12))


def breathy(heard: Heard, breathiness: float, sampling_rate: int) -> Heard:
    """What is heard, with breath: a share of the power of the pulses becomes noise."""
    bins = heard.noise.shape[1]
    share = SHARE * torch.from_numpy(breath_share(sampling_rate, bins, breathiness)).to(heard.noise)[:, None]
    pitch = in_subframes(heard.pitch, heard.noise)
    noise = _added(heard, (share * pulses_over_noise(pitch, sampling_rate)).log())
    return replace(
        heard,
        noise=torch.where(pitch > 0, noise, heard.noise),
        pulse=heard.pulse + torch.log1p(-share) / 2,
    )


def whispered(heard: Heard, sampling_rate: int) -> Heard:
    """What is heard, as a whisper: all of the power of the pulses is noise, and there is no F0."""
    pitch = in_subframes(heard.pitch, heard.noise)
    both = _added(heard, pulses_over_noise(pitch, sampling_rate).log())
    return replace(heard, pitch=torch.zeros_like(heard.pitch), noise=torch.where(pitch > 0, both, heard.noise))


def _added(heard: Heard, relative: Tensor) -> Tensor:
    """The filter of noise [B, bins, F] with the power of pulses in it, of which so much (log) is noise."""
    return torch.logaddexp(2 * heard.noise, 2 * heard.pulse + relative) / 2


def in_subframes(values: Tensor, filters: Tensor) -> Tensor:
    """Of frames [B, T], at the rate of filters [B, bins, subframes * T]: [B, 1, subframes * T]."""
    return values.repeat_interleave(filters.shape[2] // values.shape[1], dim=1).unsqueeze(1)


def as_condition(speaker: Tensor) -> Tensor | None:
    """[B, G] as the decoder takes it."""
    return speaker.unsqueeze(2) if speaker.shape[1] else None
