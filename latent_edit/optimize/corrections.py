"""Corrections: what is wrong with a latent, written as objectives, and solved for.

`invert`, `sounding_like`, `matched` and `breathy` look for the latent of a sound or of decoder parameters; `natural_f0`
undoes what averaging did to F0; `with_final_rise` makes a question; `restore_formants` undoes what breath did to words;
`with_dynamics` gives the energy of an acted take; `correct` brings an edit to the axes of its style. All leave what
they are given as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from latent_edit.axes import AXES, BREATHINESS, LEVEL, PACE, PITCH, RANGE, TILT, TREMOR, WHISPER, AxisValue
from latent_edit.manners import Take
from latent_edit.measures import MIN_TREMOR_SECONDS
from latent_edit.models.energies import energies
from latent_edit.models.f0_contours import F0Parts, f0_parts, f0_range, modulation_depth, with_range
from latent_edit.models.harmonic_source import HIGHEST_HZ, LOWEST_HZ
from latent_edit.models.vits import FrozenVits
from latent_edit.optimize.decoder_params import DecoderParameters, SpeakerDecoder
from latent_edit.optimize.objectives import (
    HNR,
    F0Contour,
    HeldF0,
    LevelAndTilt,
    LogMelMatch,
    Nearness,
    ParameterMatch,
    level_and_tilt,
)
from latent_edit.optimize.solvers import Descent, Objective, descend, project
from latent_edit.types import Latent, Waveform


class SoundMatching(NamedTuple):
    """How a latent is brought nearer to a sound. windows: of the spectra, as divisors of the voice's. nearness: weight
    of the squared distance from where the latent was, beside nepers.
    """

    descent: Descent
    windows: Sequence[int] = (1, 2)
    nearness: float = 0.0


# Short steps keep the latent near the posterior. Ten are enough for the voices' own recordings, not for strangers and
# noise. Windows shorter than the posterior encoder's see envelopes and moments, not single harmonics, which at F0 as it
# is read never quite fit: fitted to harmonics, recordings sound less natural (docs/NATURALNESS.md).
INVERSION = SoundMatching(Descent(steps=30, rate=0.05), windows=(2, 4, 8), nearness=1.0)
RESTORING = SoundMatching(Descent(steps=12, rate=0.3, last_rate_share=0.05))
MATCHING = Descent(steps=20, rate=0.25, last_rate_share=0.1)
GAIN_ROUNDS, LARGEST_GAIN_DB = 2, 8.0  # of a band, at a moment
HELD_F0_WEIGHT = 0.1  # of a semitone, beside a neper of the mel bands
NEARNESS_WEIGHT = 0.3
LARGEST_F0_EXPANSION = 3.0  # times as far from the median as the text side has it
LARGEST_WAVE_SEMITONES = 0.6  # of a regular wave in F0; deeper ones are rare in recordings, and heard as a tremor
QUESTION_END_OCTAVES = 6 / 12  # above the median of the sentence, at the end of the rise
LONGEST_RISE_SECONDS = 0.6
ACTIVE_NEPERS = 3.5  # below the loud frames; what is softer is a pause, whose spectrum is no style's
LARGEST_REACH = 2.0  # times the size of a style
NEGLIGIBLE = 0.1  # of an axis' step; where no axis misses more, the latent stays as it is
LEAST_VOICED_SECONDS = 0.2
# A bridge leaves some voices half voiced: from half of a whisper on, no more than a quarter of the voicing stays.
LEAST_WHISPERED, MOST_VOICED = 0.5, 0.25
CLEAR_DB = (10.0, math.inf)  # HNR up to which noise that a style does not ask for is taken back


def invert(vits: FrozenVits, latent: Latent, sound: Waveform, speaker: str | int) -> Latent:
    """Near the latent [1, C, T] of a recording, one that is decoded closer to its log-mel spectra; F0 and voicing stay.

    A posterior encoder answers for every recording with the same weights, and is a little off for each (the
    amortisation gap): formants come out smeared. A few steps on the latent itself close some of it: semi-amortised
    variational inference (Kim et al. 2018, arXiv 1802.02550, section 3). What the encoder says sounds natural, so the
    latent stays near it. Of a voice without a source-filter decoder the latent stays as it is.
    """
    return sounding_like(vits, latent, sound, speaker, INVERSION)


def sounding_like(
    vits: FrozenVits, latent: Latent, sound: Waveform, speaker: str | int, matching: SoundMatching
) -> Latent:
    """Near a latent [1, C, T], one that is decoded closer to a sound in log-mel spectra; F0 and voicing stay.

    Of a voice without a source-filter decoder the latent stays as it is.
    """
    if not vits.has_source_filter:
        return latent
    voice = SpeakerDecoder.of(vits, speaker)
    f0 = voice.f0(latent.z)
    samples = sound.samples[:, : latent.z.shape[2] * vits.hop_length]
    objectives: list[tuple[Objective, float]] = [
        (LogMelMatch.of(voice, samples, f0, [vits.fft_size // divisor for divisor in matching.windows]), 1.0),
        (HeldF0(voice, f0, latent.mask.squeeze(1)), HELD_F0_WEIGHT),
    ]
    if matching.nearness:
        objectives.append((Nearness(latent.z), matching.nearness))
    return Latent(descend(latent.z, objectives, matching.descent), latent.mask)


def matched(voice: SpeakerDecoder, latent: Latent, goal: DecoderParameters) -> Latent:
    """Near a latent [1, C, T], one of which the decoder makes what it should: a goal of the same length."""
    match, nearness = ParameterMatch(voice, goal, latent.mask), Nearness(latent.z)
    return Latent(descend(latent.z, [(match, 1.0), (nearness, NEARNESS_WEIGHT)], MATCHING), latent.mask)


@torch.no_grad()
def breathy(vits: FrozenVits, latent: Latent, speaker: str | int, breathiness: float) -> Latent:
    """Near a clear latent [1, C, T], the one that is spoken as breathily as WORLD would, F0 and level kept.

    VITS's posterior encoder hardly encodes light breath: resynthesised, a breathy augmentation is nearly clear. The
    decoder can speak breathily all the same. Raises InputError for a voice without a source-filter decoder.
    """
    voice = SpeakerDecoder.of(vits, speaker)
    return matched(voice, latent, voice.analyse(latent.z).breathy(breathiness))


@torch.no_grad()
def natural_f0(vits: FrozenVits, latent: Latent, speaker: str | int) -> Latent:
    """Near the latent [1, C, T] of a text, one whose F0 moves as in recordings of the voice: as far, without a wave.

    The mean of all the ways to say a sentence is flatter than any of them: over-smoothing, of which the remedy is to
    give trajectories the variance that natural ones have ("global variance", Toda and Tokuda 2007, IEICE Transactions
    E90-D 5). Here only F0 needs it. Its trend moves farther from its median, up to `LARGEST_F0_EXPANSION` times in
    octaves. What is faster stays, but for a regular wave, which is no deeper than `LARGEST_WAVE_SEMITONES`. Voicing
    stays, and so do a latent that needs neither, and one with hardly any voice.
    """
    wanted = vits.f0_ranges[vits.speaker_id(speaker)] / 12
    if not wanted:
        return latent
    voice = SpeakerDecoder.of(vits, speaker)
    f0 = voice.f0(latent.z)
    octaves, trend, fast, wave = f0_parts(f0[0], vits.frames_per_second)
    if len(octaves) < 2:
        return latent
    excess = max(1 - LARGEST_WAVE_SEMITONES / 12 / modulation_depth(wave), 0.0)
    if len(octaves) < MIN_TREMOR_SECONDS * vits.frames_per_second:
        excess = 0.0  # so short a contour is none: it would be taken for a part of one
    if f0_range(octaves) >= wanted and not excess:
        return latent
    natural = with_range(trend, fast - excess * wave, max(wanted, f0_range(octaves)), LARGEST_F0_EXPANSION)
    return _with_f0(voice, latent, f0, f0 > 0, natural - natural.median() + octaves.median())


@torch.no_grad()
def with_final_rise(vits: FrozenVits, latent: Latent, start_frame: int, speaker: str | int) -> Latent:
    """Near a latent [1, C, T], one whose F0 rises from a frame to the end, to `QUESTION_END_OCTAVES` over the median.

    A yes/no question rises from its last stressed syllable on (Pierrehumbert and Hirschberg 1990, "The meaning of
    intonational contours"); recordings of a voice have hardly any, so that its text side says them as statements.
    Timing, voicing and all before stay, and so does a latent of a voice without a source-filter decoder.
    """
    if not vits.has_source_filter:
        return latent
    voice = SpeakerDecoder.of(vits, speaker)
    f0 = voice.f0(latent.z)
    start = max(start_frame, f0.shape[1] - round(LONGEST_RISE_SECONDS * vits.frames_per_second))
    last = (f0[0, start:] > 0).nonzero().squeeze(1) + start
    if len(last) < 2:
        return latent
    median = math.log2(float(f0[f0 > 0].median()))
    begin = min(math.log2(float(f0[0, last[0]])), median)
    share = (last - last[0]) / (last[-1] - last[0])
    rising = torch.zeros_like(f0, dtype=torch.bool)
    rising[0, last] = True
    return _with_f0(voice, latent, f0, rising, begin + share * (median + QUESTION_END_OCTAVES - begin))


def _with_f0(voice: SpeakerDecoder, latent: Latent, f0: Tensor, where: Tensor, octaves: Tensor) -> Latent:
    """Near a latent [1, C, T], one with F0 as it is in Hz [1, T], but at N frames [1, T] where it is in octaves [N]."""
    wanted = f0.masked_scatter(where, torch.exp2(octaves).clamp(LOWEST_HZ, HIGHEST_HZ))
    return Latent(project(latent.z, [F0Contour.of(voice, latent.z, wanted)]), latent.mask)


@torch.no_grad()
def restore_formants(
    vits: FrozenVits, source: Latent, edited: Latent, breathiness: float, speaker: str | int
) -> Latent:
    """Near an edited latent [1, C, T], one with the spectral detail of its source, frame by frame.

    Breath in a latent smears its formants: of a whisper that the bridge makes, a recogniser gets more words wrong than
    of the same sentence with noise in place of its pulses. But no style of ours asks for other formants. So the edited
    latent is brought nearer to the sound of just that: the source's detail with F0, breath and mean spectrum of the
    edit.

    Args:
        source: of the same length. breathiness: that the style asks for, where the edit is voiced; where it is not and
            the source is, pulses become noise. The voice needs a source-filter decoder.
    """
    voice = SpeakerDecoder.of(vits, speaker)
    before, after = voice.analyse(source.z), voice.analyse(edited.z)
    detail = before.voiced_as(after.f0, breathiness)
    loudness = before.whispered().noise.logsumexp(1, keepdim=True)
    active = loudness > loudness.quantile(0.95) - ACTIVE_NEPERS
    sounding = active & (before.filter_frames(after.f0) > 0) & (before.filter_frames(before.f0) > 0)
    wanted = replace(
        detail,
        noise=detail.noise + _mean(after.noise - detail.noise, active),
        pulses=detail.pulses + _mean(after.pulses - detail.pulses, sounding),
    )
    return sounding_like(vits, edited, voice.render(wanted), speaker, RESTORING)


@torch.no_grad()
def with_dynamics(
    vits: FrozenVits, source: Latent, edited: Latent, take: Take, breathiness: float, speaker: str | int
) -> Latent:
    """Near an edited latent [1, C, T], one with the spectral detail of its source and the energy of an acted take.

    Over time energy moves as in the take, over frequency it is balanced so; F0, level and tilt are those of the edit.
    As residuals to be projected on, energy over time and bands took words (28 points of 80 edits); here the decoder's
    filters are given the gain, and a latent is sought that sounds so.

    Args:
        source: of the same length. breathiness: as of `restore_formants`. The voice needs a source-filter decoder.
    """
    voice = SpeakerDecoder.of(vits, speaker)
    f0 = voice.f0(edited.z)
    before = voice.analyse(source.z)
    unchanged = before.voiced_as(f0, breathiness)
    plain = energies(voice.render(before))
    over_time = plain.over_time + plain.over_time.std() * f0.new_tensor(take.energy)
    over_bands = plain.over_bands + f0.new_tensor(take.balance)
    gain, wanted = f0.new_zeros(()), unchanged
    for _ in range(GAIN_ROUNDS):
        found = energies(voice.render(wanted), plain)
        gain = gain + unchanged.spread(
            over_time - found.over_time, over_bands - found.over_bands, plain.start, plain.end
        )
        gain = gain.clamp(-LARGEST_GAIN_DB, LARGEST_GAIN_DB)
        wanted = unchanged.amplified(gain)
    level, tilt = level_and_tilt(voice.decoder, voice.decode(edited.z, f0))
    wanted = wanted.tilted(tilt - level_and_tilt(voice.decoder, voice.render(wanted).samples)[1])
    wanted = wanted.amplified(level - level_and_tilt(voice.decoder, voice.render(wanted).samples)[0])
    return sounding_like(vits, edited, voice.render(wanted), speaker, RESTORING)


def _mean(values: Tensor, where: Tensor) -> Tensor:
    """Over the frames [1, 1, F] that count, of [1, bins, F]: [1, bins, 1]; zero where none does."""
    return (values * where).sum(2, keepdim=True) / where.sum().clamp(min=1)


@dataclass(frozen=True, eq=False)
class Attributes:
    """How a latent [1, C, T] is spoken, by the definitions of `measures`.

    axes: where it is, by name of the axis and in its unit; those of F0 only where there is some.
    """

    parameters: DecoderParameters
    f0: F0Parts
    axes: dict[str, float]

    @staticmethod
    def of(voice: SpeakerDecoder, z: Tensor, frames_per_second: float) -> Attributes:
        """As a speaker's decoder would speak it."""
        parameters = voice.analyse(z)
        level, tilt = level_and_tilt(voice.decoder, voice.decode(z, parameters.f0)).tolist()
        axes, f0 = {LEVEL: level, TILT: tilt}, f0_parts(parameters.f0[0], frames_per_second)
        if len(f0.octaves) >= LEAST_VOICED_SECONDS * frames_per_second:
            axes |= {PITCH: 12 * float(f0.octaves.median()), RANGE: math.log2(f0_range(f0.octaves))}
        return Attributes(parameters, f0, axes)


@torch.no_grad()
def correct(
    vits: FrozenVits,
    source: Latent,
    scaled: Latent,
    edited: Latent,
    asked: Mapping[str, AxisValue],
    speaker: str | int,
    reach: float | None = None,
    take: Take | None = None,
) -> Latent:
    """Near an edited latent [1, C, T], one that differs from its source in the axes as a style asks.

    A bridge goes in the right direction, but one axis goes too far and another not far enough. How far along the style
    is the bridge's affair (`_reach`): every named axis gets that share of what is asked, but for one that is to be
    exact. Noise that drowns F0 without being asked for is taken back. Pace stays, and so does a latent without these
    axes or a source-filter decoder.

    Args:
        source: the plain synthesis, from which axes count. scaled: the same at the pace of the edited one. asked: what
            the style asks of each axis, by name. speaker: whose latents they are.
        reach: how many times the style's size to go; None is as far as the bridge has gone.
        take: of a manner that people act, where that is what is asked for; then the reach is 1: a bridge has not learnt
            the axes of actors.
    """
    if not vits.has_source_filter or not AXES.keys() <= asked.keys():
        return edited
    # There is no less than no breath and no tremor.
    no_less = {axis: asked[axis]._replace(value=max(asked[axis].value, 0.0)) for axis in (BREATHINESS, TREMOR)}
    asked = {**asked, **no_less}
    breath, voice = asked[BREATHINESS], SpeakerDecoder.of(vits, speaker)
    before, after = (Attributes.of(voice, latent.z, vits.frames_per_second) for latent in (source, edited))
    if take is not None:
        reach = 1.0
    elif reach is None:
        reach = _reach(_effects(before, after) | _tremor_and_breath(before, after, breath), asked)
    if breath.value >= WHISPER and reach >= LEAST_WHISPERED and _voiced(after) > MOST_VOICED * _voiced(before):
        edited = matched(voice, edited, voice.analyse(scaled.z).whispered())
        after = Attributes.of(voice, edited.z, vits.frames_per_second)
    fast, missing = _fast_f0(before, after, asked, reach), _missing(_effects(before, after), asked, reach)
    lowest, highest = _hnr_bounds(before.parameters, breath, reach)
    breathiness = min(reach, 1.0) * breath.value if breath.named else 0.0
    if breath.named and take is None:  # of a take `with_dynamics` does it
        edited = restore_formants(vits, scaled, edited, breathiness, speaker)
    elif take is None and bool(((lowest <= after.parameters.hnr) & (after.parameters.hnr <= highest)).all()):
        missed = missing | {TREMOR: 12 * modulation_depth(fast - after.f0.fast)}
        if all(abs(value) < NEGLIGIBLE * asked[axis].step for axis, value in missed.items()):
            return edited
    f0 = _wanted_f0(after, fast, missing, take)
    db = f0.new_tensor([after.axes[axis] + missing[axis] for axis in (LEVEL, TILT)])
    objectives: list[Objective] = [
        HNR(voice, f0, lowest, highest),
        F0Contour.of(voice, edited.z, f0),
        LevelAndTilt(voice, f0, db),
    ]
    corrected = Latent(project(edited.z, objectives), edited.mask)
    if take is None:
        return corrected
    acted = with_dynamics(vits, scaled, corrected, take, breathiness, speaker)
    # Only what is exact: brought to the last dB of its tilt, a shout loses words (docs/NEGATIVE_RESULTS.md).
    return _held(voice, acted, f0, db, [asked[axis].exact for axis in (LEVEL, TILT)])


def _held(voice: SpeakerDecoder, latent: Latent, f0: Tensor, db: Tensor, given: list[bool]) -> Latent:
    """Near a latent, one with the level and tilt [2] in dB that are given, at F0 in Hz [1, T]; the other as it is."""
    if not any(given):
        return latent
    db = torch.where(torch.tensor(given), db, level_and_tilt(voice.decoder, voice.decode(latent.z, f0)))
    return Latent(project(latent.z, [LevelAndTilt(voice, f0, db)]), latent.mask)


def _voiced(attributes: Attributes) -> float:
    """Share of the frames."""
    return float((attributes.parameters.f0 > 0).float().mean())


def _effects(before: Attributes, after: Attributes) -> dict[str, float]:
    return {axis: after.axes[axis] - before.axes[axis] for axis in after.axes if axis in before.axes}


def _reach(effects: Mapping[str, float], asked: Mapping[str, AxisValue]) -> float:
    """How many times its size a style is to have: as far as the bridge has gone, projected on what was asked for.

    At most `LARGEST_REACH`. Where it falls short, half of the rest is made up (on a logarithmic scale): some styles it
    hardly moves along.
    """
    named = {axis: asked[axis] for axis in effects if asked[axis].named}
    along = sum(value.steps * effects[axis] / value.step for axis, value in named.items())
    size = sum(value.steps**2 for value in named.values())
    gone = _between(along / size, 0.0, LARGEST_REACH) if size else 1.0
    return max(gone, math.sqrt(min(gone, 1.0)))


def _tremor_and_breath(before: Attributes, after: Attributes, breath: AxisValue) -> dict[str, float]:
    """What the bridge did on the two axes that level, tilt and median do not show, in their units.

    Breath is counted by what it takes away: of the HNR where it is measured as much as `DecoderParameters.breathy`
    would, and of a whisper the voiced frames.
    """
    depths = [modulation_depth(attributes.f0.wave) for attributes in (before, after)]
    effects = {TREMOR: 12 * math.sqrt(max(depths[1] ** 2 - depths[0] ** 2, 0.0))}
    if breath.value >= WHISPER:
        effects[BREATHINESS] = breath.value * (1 - _voiced(after) / max(_voiced(before), 1e-6))
    elif breath.named:
        clear, light, edited = (
            float(each.hnr[1])
            for each in (before.parameters, before.parameters.breathy(breath.value), after.parameters)
        )
        effects[BREATHINESS] = breath.value * (clear - edited) / max(clear - light, 1.0)
    return effects


def _missing(effects: Mapping[str, float], asked: Mapping[str, AxisValue], reach: float) -> dict[str, float]:
    """What each axis with an effect still lacks, in its unit.

    One that the style does not name may be anywhere between the source and what little is asked of it.
    """

    def wanted(axis: str, effect: float) -> float:
        if asked[axis].exact:
            return asked[axis].value
        return reach * asked[axis].value if asked[axis].named else _between(effect, 0.0, asked[axis].value)

    return {axis: wanted(axis, effect) - effect for axis, effect in effects.items()}


def _hnr_bounds(before: DecoderParameters, breath: AxisValue, reach: float) -> tuple[Tensor, Tensor]:
    """Lowest and highest HNR in dB, [2] each, for the breath that is asked for, as far as the bridge has gone."""
    found = before.hnr
    anything = torch.full_like(found, math.inf)
    if breath.value >= WHISPER:
        return -anything, anything
    if not breath.named:  # no clearer than the source, which may have little voice or a deep one
        return torch.minimum(found, found.new_tensor(CLEAR_DB)), anything
    wanted = before.breathy((1.0 if breath.exact else min(reach, 1.0)) * breath.value).hnr
    return wanted, wanted


def _fast_f0(before: Attributes, after: Attributes, asked: Mapping[str, AxisValue], reach: float) -> Tensor:
    """The fast part of F0 [V] as it should be: with the tremor that is asked for, or with the one that was there."""
    tremor = asked[TREMOR]
    if tremor.named:
        depth = (1.0 if tremor.exact else reach) * tremor.value / 12
        wanted = math.hypot(modulation_depth(before.f0.wave), depth)  # powers add up
        return after.f0.fast + (wanted / modulation_depth(after.f0.wave) - 1) * after.f0.wave
    # F0 has fast parts of its own. They do not grow, a regular wave among them stays as deep as it was, and both get
    # smaller where F0 has less time to move.
    pace = math.exp(min(0.0, asked[PACE].value))
    quieter = _between(pace * modulation_depth(before.f0.fast) / modulation_depth(after.f0.fast), 0.5, 1.0)
    ratio = modulation_depth(before.f0.wave) / modulation_depth(after.f0.wave)
    wave = _between(pace * ratio / quieter, 0.5, 2.0)
    return quieter * (after.f0.fast + (wave - 1) * after.f0.wave)


def _wanted_f0(after: Attributes, fast: Tensor, missing: Mapping[str, float], take: Take | None) -> Tensor:
    """F0 in Hz [1, T] with which nothing would be missing, and with the shape of a take."""
    f0 = after.parameters.f0.clone()
    if PITCH in missing:
        trend = after.f0.trend
        if take is not None:
            voiced = (f0[0] > 0).nonzero().squeeze(1)
            places = np.linspace(int(voiced[0]), int(voiced[-1]), len(take.f0))
            trend = trend + trend.std() * trend.new_tensor(np.interp(voiced.numpy(), places, take.f0))
        wanted = 2 ** (after.axes[RANGE] + missing[RANGE])
        # In a narrow range a tremor is up to half as deep: by itself it would be wider than all that is asked for.
        fast = _between(wanted / f0_range(fast), 0.5, 1.0) * fast
        octaves = with_range(trend, fast, wanted)  # the tremor has a share in the range
        octaves = octaves - octaves.median() + (after.axes[PITCH] + missing[PITCH]) / 12
        f0[f0 > 0] = torch.exp2(octaves).clamp(LOWEST_HZ, HIGHEST_HZ)
    return f0


def _between(value: float, one: float, other: float) -> float:
    return min(max(value, min(one, other)), max(one, other))
