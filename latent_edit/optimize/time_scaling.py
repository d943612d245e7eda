"""Time scaling: the same sentence in more or fewer frames, with as many words kept as can be.

Stretched, a latent loses words: a closure or a burst that lasts half as long again is none. A slower sentence is what
the text encoder says of longer durations, with the noise that it had, so that it stays the same. Of a faster one
symbols would vanish. Resampled, a latent loses words, decoder parameters lose fewer, as in a vocoder: so the latent is
brought nearer to them. (Stretched, they lose more words than the latent.) A rhythm is what the text encoder says of
uneven durations.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from latent_edit.models.alignment import same_moments, whole_frames
from latent_edit.models.phonemes import PhonemeSequence
from latent_edit.models.rhythm import EVEN, acted_durations
from latent_edit.models.vits import FrozenVits, TextEncoding
from latent_edit.optimize.corrections import SoundMatching, natural_f0, sounding_like
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.optimize.solvers import Descent
from latent_edit.types import Alignment

SHORTENING = SoundMatching(Descent(steps=5, rate=0.15))  # 12 steps are no better on training sentences


def time_scale(
    vits: FrozenVits,
    phonemes: PhonemeSequence,
    source: TextEncoding,
    speaker: str | int,
    log_ratio: float,
    prior_noise: float,
    generator: torch.Generator,
    rhythm: np.ndarray = EVEN,
) -> TextEncoding:
    """A sentence exp(log_ratio) times as long; at 0 the same. A slower recording, which has no phonemes, is stretched.

    Durations are those of `rhythm.acted_durations`; what was there of z_p stays at its
    moment, and the frames between are drawn from the prior.

    Args:
        prior_noise: what z_p was drawn with. generator: draws the noise of the new frames. rhythm: of a manner that is
            acted, see `manners.Manner`.
    """
    slower, old = max(log_ratio, 0.0), source.alignment.durations
    if not phonemes.count:
        source = source.resampled(slower)
    else:
        lasting = acted_durations(phonemes, old[0].double(), rhythm, math.exp(slower))
        source = _with_durations(vits, phonemes, source, speaker, lasting, prior_noise, generator)
    return _shortened(vits, source, speaker, min(log_ratio, 0.0))


def _with_durations(
    vits: FrozenVits,
    phonemes: PhonemeSequence,
    source: TextEncoding,
    speaker: str | int,
    lasting: Tensor,
    prior_noise: float,
    generator: torch.Generator,
) -> TextEncoding:
    """The sentence in other durations [P]; what was there of z_p stays at its moment."""
    old, durations = source.alignment.durations[0].double(), whole_frames(lasting)
    if torch.equal(old.long(), durations):
        return source
    sample = vits.sample_prior(phonemes, durations, prior_noise, generator)
    at = same_moments(old, lasting).round().long().clamp(0, source.prior_sample.z.shape[2] - 1)
    kept = torch.diff(at, prepend=at.new_tensor([-1])) > 0
    sample.z[..., kept] = source.prior_sample.z[..., at[kept]]
    latent = natural_f0(vits, vits.from_prior(sample, speaker), speaker)
    return TextEncoding(latent, sample, Alignment(durations[None]))


@torch.no_grad()
def _shortened(vits: FrozenVits, source: TextEncoding, speaker: str | int, log_ratio: float) -> TextEncoding:
    """A sentence that is resampled, with its latent brought nearer to the sound of resampled decoder parameters."""
    plain = source.resampled(log_ratio)
    if plain is source or not vits.has_source_filter:
        return plain
    voice = SpeakerDecoder.of(vits, speaker)
    sound = voice.render(voice.analyse(source.latent.z).time_scaled(plain.latent.z.shape[2]))
    return replace(plain, latent=sounding_like(vits, plain.latent, sound, speaker, SHORTENING))
