"""Words of breathy edits: what is articulated stays as it was in the reading.

Breath in a latent smears its formants: of a whisper that the bridge makes, a recogniser gets more words wrong than of
the same reading with noise in place of its pulses, and so it is with light breath. But no style of ours asks for other
formants. So the edited latent is brought nearer to what the decoder has to be given to say just that: the spectral
detail of the reading, with the F0, breath and colour of the edit.
"""

from __future__ import annotations

import torch
from torch import Tensor

from latent_edit.models.heard import Heard, as_condition, breathy, hear, in_subframes, whispered
from latent_edit.models.refinement import refined
from latent_edit.models.vits import FrozenVits
from latent_edit.types import Latent, Waveform

STEPS, RATE = 8, 0.15  # 12 such steps are no better on training sentences
ACTIVE_NEPERS = 3.5  # below the loud frames; what is softer is a pause, whose colour is no style's


def articulated(vits: FrozenVits, source: Latent, edited: Latent, breathiness: float, speaker: str | int) -> Latent:
    """Near an edited latent [1, C, T], one that articulates as its source does, frame by frame.

    source: of the same length. breathiness: that the style asks for, where the edit is voiced; where it is not and the
    source is, pulses become noise. The voice's decoder has to tell F0 and filters apart.
    """
    decoder, embedding = vits.source_filter_decoder, vits.speaker_embedding(speaker)
    with torch.no_grad():
        wanted, phase = _wanted(vits, source, edited, breathiness, embedding)
        samples = decoder.filtered(wanted.noise, wanted.pulse, phase, wanted.pitch)[0]
    return refined(vits, edited, Waveform.of(samples[0], vits.sampling_rate), speaker, STEPS, RATE)


def _wanted(
    vits: FrozenVits, source: Latent, edited: Latent, breathiness: float, embedding: Tensor
) -> tuple[Heard, Tensor]:
    """The source as it would be heard with the F0 and breath of an edit, as loud and as bright in the mean; phases."""
    decoder, rate = vits.source_filter_decoder, vits.sampling_rate
    before, after = (hear(decoder, latent.z, embedding) for latent in (source, edited))
    voiced = in_subframes(after.pitch, after.noise) > 0
    light, toneless = breathy(before, breathiness, rate), whispered(before, rate)
    noise = torch.where(voiced, light.noise, toneless.noise)
    loudness = toneless.noise.logsumexp(1, keepdim=True)
    active = loudness > loudness.quantile(0.95) - ACTIVE_NEPERS
    sounding = active & voiced & (in_subframes(before.pitch, before.noise) > 0)
    _, _, phase = decoder.filters(source.z, as_condition(embedding), before.pitch)
    return Heard(
        pitch=after.pitch,
        noise=noise + _mean(after.noise - noise, active),
        pulse=light.pulse + _mean(after.pulse - light.pulse, sounding),
    ), phase


def _mean(values: Tensor, where: Tensor) -> Tensor:
    """Over the frames [1, 1, F] that count, of [1, bins, F]: [1, bins, 1]; zero where none does."""
    return (values * where).sum(2, keepdim=True) / where.sum().clamp(min=1)
