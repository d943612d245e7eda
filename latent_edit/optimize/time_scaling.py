"""Time scaling: the same sentence in more or fewer frames, with as many words kept as can be.

Stretched, a latent loses words: a closure or a burst that lasts half as long again is none. A slower sentence is what
the text encoder says of longer durations, with the noise that it had, so that it stays the same. Of a faster one
symbols would vanish. Resampled, it loses words too, of which most are there still if it is the decoder parameters that
are resampled instead, as a vocoder does: so the latent is brought nearer to that. (Stretched, the parameters lose more
words than the latent.)
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from latent_edit.models.alignment import whole_frames
from latent_edit.models.phonemes import BLANK, PhonemeSequence
from latent_edit.models.vits import FrozenVits, TextEncoding
from latent_edit.optimize.corrections import expand_f0, invert
from latent_edit.optimize.decoder_params import SpeakerDecoder
from latent_edit.optimize.solvers import Descent
from latent_edit.types import Alignment

SHORTENING = Descent(steps=5, rate=0.15)  # 12 steps are no better on training sentences
PAUSES = " ;:,.!?…—"
PAUSE_ELASTICITY = 6.0  # of 3, 6 and 10, the one with which most words were recognised on validation sentences


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

    Slower, what was there of z_p stays at its moment, and the frames between are drawn from the prior. A slower speaker
    lengthens pauses before words (Grosjean & Collins 1979, Phonetica 36), and words stretched less are better
    understood.

    Args:
        prior_noise: what z_p was drawn with. generator: draws the noise of the new frames.
    """
    if log_ratio <= 0:
        return _shortened(vits, source, speaker, log_ratio)
    if not phonemes.count:
        return resampled(source, log_ratio)
    old = source.alignment.durations[0].double()
    share = old * old.new_tensor(elasticity(phonemes))
    longer = old + (math.exp(log_ratio) - 1) * old.sum() * share / share.sum()
    durations = whole_frames(longer)
    sample = vits.sample_prior(phonemes, durations, prior_noise, generator)
    at = _same_moments(old, longer).round().long().clamp(0, source.prior_sample.z.shape[2] - 1)
    kept = torch.diff(at, prepend=at.new_tensor([-1])) > 0
    sample.z[..., kept] = source.prior_sample.z[..., at[kept]]
    latent = expand_f0(vits, vits.from_prior(sample, speaker), speaker)
    return TextEncoding(latent, sample, Alignment(durations[None]))


def resampled(source: TextEncoding, log_ratio: float) -> TextEncoding:
    """A sentence exp(log_ratio) times as long, all of it alike; sums of durations are kept, an F0 contour too."""
    given = source.alignment.durations[0]
    old = given if len(given) else source.latent.lengths  # a recording is like one long symbol
    durations = whole_frames(old.double() * math.exp(log_ratio))
    frames = int(durations.sum())
    if log_ratio == 0 or not frames:
        return source
    lasting = Alignment(durations[None, : len(given)])
    return TextEncoding(source.latent.stretched(frames), source.prior_sample.stretched(frames), lasting)


@torch.no_grad()
def _shortened(vits: FrozenVits, source: TextEncoding, speaker: str | int, log_ratio: float) -> TextEncoding:
    """A sentence that is resampled, with its latent brought nearer to the sound of resampled decoder parameters."""
    plain = resampled(source, log_ratio)
    if plain is source or not vits.has_source_filter:
        return plain
    voice = SpeakerDecoder.of(vits, speaker)
    sound = voice.render(voice.analyse(source.latent.z).time_scaled(plain.latent.z.shape[2]))
    return replace(plain, latent=invert(vits, plain.latent, sound, speaker, SHORTENING))


def elasticity(phonemes: PhonemeSequence) -> list[float]:
    """How much of what comes to a sentence a frame of each symbol takes.

    `PAUSE_ELASTICITY` between two words, one elsewhere, and of a blank the mean of its neighbours.
    """
    own = [PAUSE_ELASTICITY if symbol in PAUSES else 1.0 for symbol in phonemes.symbols]
    sounding = [i for i, symbol in enumerate(phonemes.symbols) if symbol not in PAUSES and symbol != BLANK]
    first, last = sounding[0], sounding[-1]  # silence before and after is none between words
    for i, symbol in enumerate(phonemes.symbols):
        if not first < i < last:
            own[i] = 1.0
        elif symbol == BLANK:
            own[i] = (own[i - 1] + own[i + 1]) / 2
    return own


def _same_moments(old: Tensor, new: Tensor) -> Tensor:
    """Where in a sentence with durations `old` [P] the middle of each frame of one with `new` [P] lies: [frames]."""
    old_ends, new_ends = (torch.nn.functional.pad(durations.cumsum(0), (1, 0)) for durations in (old, new))
    frames = int(whole_frames(new).sum())
    middles = (torch.arange(frames).to(new_ends) + 0.5) * new_ends[-1] / frames
    symbol = torch.searchsorted(new_ends, middles, right=True).clamp(1, len(new))
    within = (middles - new_ends[symbol - 1]) / new[symbol - 1].clamp(min=1e-9)
    return old_ends[symbol - 1] + within.clamp(0, 1) * old[symbol - 1] - 0.5
