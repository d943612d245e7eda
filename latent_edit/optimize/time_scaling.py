"""Time scaling: the same sentence in more or fewer frames, with as many words kept as can be.

Stretched, a latent loses words: a closure or a burst that lasts half as long again is none. A slower sentence is what
the text encoder says of longer durations, with the noise that it had, so that it stays the same. Of a faster one
symbols would vanish. Resampled, a latent loses words, decoder parameters lose fewer, as in a vocoder: so the latent is
brought nearer to them. (Stretched, they lose more words than the latent.)
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from latent_edit.models.alignment import same_moments, whole_frames
from latent_edit.models.pauses import slowed
from latent_edit.models.phonemes import PhonemeSequence
from latent_edit.models.vits import FrozenVits, TextEncoding
from latent_edit.optimize.corrections import expand_f0, invert
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.optimize.solvers import Descent
from latent_edit.types import Alignment

SHORTENING = Descent(steps=5, rate=0.15)  # 12 steps are no better on training sentences


def time_scale(
    vits: FrozenVits,
    phonemes: PhonemeSequence,
    source: TextEncoding,
    speaker: str | int,
    log_ratio: float,
    prior_noise: float,
    generator: torch.Generator,
) -> TextEncoding:
    """A sentence exp(log_ratio) times as long; at 0 the same. A slower recording, which has no phonemes, is stretched.

    Slower, durations are those of `pauses.slowed`, what was there of z_p stays at its moment, and the frames between
    are drawn from the prior.

    Args:
        prior_noise: what z_p was drawn with. generator: draws the noise of the new frames.
    """
    if log_ratio <= 0:
        return _shortened(vits, source, speaker, log_ratio)
    if not phonemes.count:
        return source.resampled(log_ratio)
    old = source.alignment.durations[0].double()
    longer = slowed(phonemes, old, math.exp(log_ratio))
    durations = whole_frames(longer)
    sample = vits.sample_prior(phonemes, durations, prior_noise, generator)
    at = same_moments(old, longer).round().long().clamp(0, source.prior_sample.z.shape[2] - 1)
    kept = torch.diff(at, prepend=at.new_tensor([-1])) > 0
    sample.z[..., kept] = source.prior_sample.z[..., at[kept]]
    latent = expand_f0(vits, vits.from_prior(sample, speaker), speaker)
    return TextEncoding(latent, sample, Alignment(durations[None]))


@torch.no_grad()
def _shortened(vits: FrozenVits, source: TextEncoding, speaker: str | int, log_ratio: float) -> TextEncoding:
    """A sentence that is resampled, with its latent brought nearer to the sound of resampled decoder parameters."""
    plain = source.resampled(log_ratio)
    if plain is source or not vits.has_source_filter:
        return plain
    voice = SpeakerDecoder.of(vits, speaker)
    sound = voice.render(voice.analyse(source.latent.z).time_scaled(plain.latent.z.shape[2]))
    return replace(plain, latent=invert(vits, plain.latent, sound, speaker, SHORTENING))
