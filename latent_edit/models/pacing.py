"""A reading at another pace: slower it is read anew, faster it is what its sound would be.

Stretched, a latent loses words: a closure or a burst that lasts half as long again is none. A slower reading is what
the text encoder says of longer durations, with the noise of the reading that there was, so that it stays the same
reading. Of a faster one symbols would vanish. Resampled, it loses words too, of which most are there still if it is
the filters of the decoder that are resampled instead, as a vocoder does: so the latent is brought nearer to that.
(Stretched, the filters lose more words than the latent.)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from latent_edit.models.alignment import whole_frames
from latent_edit.models.heard import as_condition
from latent_edit.models.phonemes import BLANK, PhonemeSequence
from latent_edit.models.refinement import refined
from latent_edit.models.vits import FrozenVits, TextEncoding
from latent_edit.types import Alignment, Latent, Waveform

STEPS, RATE = 5, 0.15  # 12 such steps are no better on training sentences
PAUSES = " ;:,.!?…—"
PAUSE_ELASTICITY = 6.0  # of 3, 6 and 10, the one with which most words were heard on validation sentences


def at_pace(
    vits: FrozenVits,
    phonemes: PhonemeSequence,
    reading: TextEncoding,
    speaker: str | int,
    log_ratio: float,
    prior_noise: float,
    generator: torch.Generator,
) -> TextEncoding:
    """A reading exp(log_ratio) times as long; at 0 the same. A slower recording, which has no phonemes, is stretched.

    Slower, what was there of z_p stays at its moment, and the frames between are drawn from the prior. A slower reader
    lengthens pauses before words (Grosjean & Collins 1979, Phonetica 36), and words stretched less are better
    understood. prior_noise: what it was read with. generator: draws the noise of the new frames.
    """
    if log_ratio <= 0:
        return _resounding(vits, reading, speaker, log_ratio)
    if not phonemes.count:
        return resampled(reading, log_ratio)
    old = reading.alignment.durations[0].double()
    longer = _lengthened(old, math.exp(log_ratio), elasticity(phonemes))
    durations = whole_frames(longer)
    sample = vits.sample_prior(phonemes, durations, prior_noise, generator)
    at = _same_moments(old, longer).round().long().clamp(0, reading.prior_sample.z.shape[2] - 1)
    kept = torch.diff(at, prepend=at.new_tensor([-1])) > 0
    sample.z[..., kept] = reading.prior_sample.z[..., at[kept]]
    return TextEncoding(vits.from_prior(sample, speaker), sample, Alignment(durations[None]))


def resampled(reading: TextEncoding, log_ratio: float) -> TextEncoding:
    """A reading exp(log_ratio) times as long, all of it alike; sums of durations are kept, an intonation too."""
    given = reading.alignment.durations[0]
    old = given if len(given) else reading.latent.lengths  # a recording is like one long symbol
    durations = whole_frames(old.double() * math.exp(log_ratio))
    frames = int(durations.sum())
    if log_ratio == 0 or not frames:
        return reading
    lasting = Alignment(durations[None, : len(given)])
    return TextEncoding(reading.latent.stretched(frames), reading.prior_sample.stretched(frames), lasting)


def _resounding(vits: FrozenVits, reading: TextEncoding, speaker: str | int, log_ratio: float) -> TextEncoding:
    """A reading that is resampled, with its latent brought nearer to what the reading sounds like."""
    plain = resampled(reading, log_ratio)
    if plain is reading or not vits.has_source_filter:
        return plain
    sound = spoken_in(vits, reading.latent, speaker, plain.latent.z.shape[2])
    return replace(plain, latent=refined(vits, plain.latent, sound, speaker, STEPS, RATE))


@torch.no_grad()
def spoken_in(vits: FrozenVits, latent: Latent, speaker: str | int, frames: int) -> Waveform:
    """A latent [1, C, T] as it is spoken, but in so many frames: the decoder's filters and F0 of it are resampled."""
    decoder, embedding = vits.source_filter_decoder, as_condition(vits.speaker_embedding(speaker))
    pitch = decoder.pitch.pitch(latent.z, embedding)
    noise, pulse, phase = decoder.filters(latent.z, embedding, pitch)
    noise, pulse = (interpolate(values, decoder.subframes * frames, mode="linear") for values in (noise, pulse))
    # Between two phases, or between a tone and none, there is nothing.
    phase = interpolate(phase, decoder.subframes * frames, mode="nearest-exact")
    pitch = interpolate(pitch[None], frames, mode="nearest-exact")[0]
    return Waveform.of(decoder.filtered(noise, pulse, phase, pitch)[0, 0], vits.sampling_rate)


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


def _lengthened(durations: Tensor, ratio: float, elastic: Sequence[float]) -> Tensor:
    """Durations [P] whose sum is `ratio` times as long, of which each takes as it is elastic."""
    share = durations * durations.new_tensor(elastic)
    return durations + (ratio - 1) * durations.sum() * share / share.sum()


def _same_moments(old: Tensor, new: Tensor) -> Tensor:
    """Where in a reading with durations `old` [P] the middle of each frame of one with `new` [P] lies: [frames]."""
    old_ends, new_ends = (torch.nn.functional.pad(durations.cumsum(0), (1, 0)) for durations in (old, new))
    frames = int(whole_frames(new).sum())
    middles = (torch.arange(frames).to(new_ends) + 0.5) * new_ends[-1] / frames
    symbol = torch.searchsorted(new_ends, middles, right=True).clamp(1, len(new))
    within = (middles - new_ends[symbol - 1]) / new[symbol - 1].clamp(min=1e-9)
    return old_ends[symbol - 1] + within.clamp(0, 1) * old[symbol - 1] - 0.5
