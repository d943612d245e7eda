"""Z' brought to where the axes of its style are, as the frozen decoder hears it.

A bridge goes in the right direction, but one axis goes too far and another not far enough. The decoder of the embedded
voice tells F0 and filters apart, so what is missing can be written down as a goal, and a few steps of gradient descent
on the latent lead there: latent optimisation, by alternating projections. The axis head of the CLAP says where, the
bridge how far, and all the rest.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from latent_edit.measures import ACTIVE_RANGE_DB, TILT_EDGES_HZ
from latent_edit.models.articulation import articulated
from latent_edit.models.clap import AxisValue
from latent_edit.models.harmonic_source import HIGHEST_HZ, LOWEST_HZ
from latent_edit.models.heard import as_condition, breathy, clearness, hear
from latent_edit.models.melody import depth, spread, towards, trend, wave, widened
from latent_edit.models.projections import approach
from latent_edit.models.spectrogram import linear_spectrogram
from latent_edit.models.vits import FrozenVits
from latent_edit.types import Latent

NAMED = 0.5  # of an axis' step, which is just audible; a style that asks for less does not name it
FARTHEST = 2.0  # times the size of a style
NEGLIGIBLE = 0.1  # of a step; where no axis misses more, the latent stays as it is
LEAST_VOICED_SECONDS = 0.2
CLEAR_DB = 10.0  # so far the first harmonics stay above noise where a style names no breath
WHISPER = 0.8  # breathiness from which on a style asks for no voice at all
PITCH, RANGE, LEVEL, TILT, TREMOR = "pitch_semitones", "range_ratio_log2", "level_db", "tilt_db", "tremor_semitones"
BREATH, PACE = "breathiness", "pace_log_ratio"


@dataclass(frozen=True)
class Manner:
    """How a latent is spoken.

    pitch: F0 in Hz [1, T], zero where unvoiced; trend and quick: the two parts of its voiced octaves, [V] each. wave:
    of the quick part what is a regular wave, [V]. clearness: of the first harmonics in dB. axes: where it is, by name
    of the axis and in its unit, tremor apart; those of F0 only where there is some.
    """

    pitch: Tensor
    trend: Tensor
    quick: Tensor
    wave: Tensor
    clearness: float
    axes: dict[str, float]


class Listener:
    """What the decoder of a voice would make of latents [1, C, T] of one speaker, by the definitions of `measures`."""

    def __init__(self, vits: FrozenVits, speaker: str | int) -> None:
        self.speaker = vits.speaker_embedding(speaker)
        self.decoder = vits.source_filter_decoder
        self.embedding = as_condition(self.speaker)
        self.sampling_rate = vits.sampling_rate
        self.frames_per_second = vits.sampling_rate / vits.hop_length
        bins = self.decoder.filter_size // 2 + 1
        hertz = torch.linspace(0, vits.sampling_rate / 2, bins, device=self.speaker.device)
        low, middle, high = TILT_EDGES_HZ
        self.high, self.low = (hertz >= middle) & (hertz <= high), (hertz >= low) & (hertz < middle)

    @torch.no_grad()
    def hear(self, z: Tensor) -> Manner:
        """How a latent is spoken."""
        pitch = self.decoder.pitch.pitch(z, self.embedding)
        level, tilt = self.colour(z, pitch).tolist()
        axes = {LEVEL: level, TILT: tilt}
        octaves = torch.log2(pitch[pitch > 0])
        slow = trend(pitch[0], self.frames_per_second)
        quick = octaves - slow
        if len(octaves) >= LEAST_VOICED_SECONDS * self.frames_per_second:
            axes |= {PITCH: 12 * float(octaves.median()), RANGE: math.log2(spread(octaves))}
        trembling = wave(quick, (pitch[0] > 0).nonzero().squeeze(1) / self.frames_per_second)
        return Manner(pitch, slow, quick, trembling, float(self.clearness(z, pitch)), axes)

    def colour(self, z: Tensor, pitch: Tensor) -> Tensor:
        """Level and tilt [2] in dB of what is spoken at an F0 in Hz [1, T], pauses apart."""
        samples = self.decoder(z, self.embedding, pitch).squeeze(1)
        power = linear_spectrogram(samples, self.decoder.filter_size, self.decoder.filter_hop)[0].square()
        frames = power.detach().sum(0)
        mean = power[:, frames >= frames.quantile(0.95) * 10 ** (-ACTIVE_RANGE_DB / 10)].mean(1)
        level, high, low = (10 * torch.log10(part.sum() + 1e-20) for part in (mean, mean[self.high], mean[self.low]))
        return torch.stack([level, high - low])

    def clearness(self, z: Tensor, pitch: Tensor) -> Tensor:
        """How far the pulses stand above the noise where the first harmonics are, in dB, []; F0 in Hz [1, T]."""
        noise, pulse, _ = self.decoder.filters(z, self.embedding, pitch)
        return clearness(noise, pulse, pitch, self.sampling_rate)

    def clear_with(self, z: Tensor, breathiness: float) -> float:
        """The clearness that a latent would have with breath in it, in dB."""
        heard = breathy(hear(self.decoder, z, self.speaker), breathiness, self.sampling_rate)
        return float(clearness(heard.noise, heard.pulse, heard.pitch, self.sampling_rate))


@dataclass(frozen=True)
class Goal:
    """Where to go. pitch: F0 in Hz [1, T]. colour: level and tilt in dB, [2]. clear: from and up to how clear in dB."""

    pitch: Tensor
    colour: Tensor
    clear: tuple[float, float]


def landed(
    vits: FrozenVits,
    source: Latent,
    paced: Latent,
    edited: Latent,
    asked: Mapping[str, AxisValue],
    speaker: str | int,
    least: float = 1.0,
    exactly: Collection[str] = (),
) -> Latent:
    """Near an edited latent [1, C, T], one that differs from its source in the axes as a style asks.

    paced: the source at the pace of the edited one, as which an edit with breath articulates (see `articulation`).
    asked: by name of the axis, as a CLAP with an axis head reads it. speaker: whose latents they are; another one's
    decoder may land them a little off. How far along the style is the bridge's affair, as it is and up to `FARTHEST`,
    but no less than `least` times the style's size; a tremor alone is as deep as asked for, and so is breath, by how
    clear it leaves the first harmonics (in a whisper there are none); what drowns them without being asked for is taken
    back. exactly: axes that are to be where they are asked, however far the bridge goes. Pace is not touched, nor is a
    latent without these axes, or of a voice whose decoder does not tell F0 and filters apart.
    """
    if not vits.has_source_filter or not {PITCH, RANGE, LEVEL, TILT, TREMOR, BREATH, PACE} <= asked.keys():
        return edited
    listener = Listener(vits, speaker)
    before, after = listener.hear(source.z), listener.hear(edited.z)
    moved = {axis: after.axes[axis] - before.axes[axis] for axis in after.axes if axis in before.axes}
    reach = _reach(moved, asked, least)
    quick = _quick(before, after, asked, min(reach, 1.0) if TREMOR in exactly else reach)
    missing = _missing(moved, asked, reach, exactly) | {TREMOR: 12 * depth(quick - after.quick)}
    clear = _clear(listener, source.z, before, asked[BREATH], least)
    goal = _goal(after, quick, missing, clear)
    if asked[BREATH].steps < NAMED:
        arrived = all(abs(value) < NEGLIGIBLE * asked[axis].step for axis, value in missing.items())
        return edited if arrived and clear[0] <= after.clearness <= clear[1] else _approach(listener, edited, goal)
    articulating = articulated(vits, paced, edited, min(least, 1.0) * asked[BREATH].value, speaker)
    return _approach(listener, articulating, goal)


def _clear(listener: Listener, source: Tensor, before: Manner, breath: AxisValue, least: float) -> tuple[float, float]:
    """From and up to how clear the first harmonics have to be, in dB."""
    if breath.value >= WHISPER:
        return -math.inf, math.inf
    if breath.steps < NAMED:  # no clearer than the source, which may have little voice or a deep one
        return min(before.clearness, CLEAR_DB), math.inf
    asked = listener.clear_with(source, min(least, 1.0) * breath.value)
    return asked, asked


def _reach(moved: Mapping[str, float], asked: Mapping[str, AxisValue], least: float) -> float:
    """How many times its size a style is to have: as far as the bridge has gone along it, within bounds."""
    named = {axis: asked[axis] for axis in moved if abs(asked[axis].steps) >= NAMED}
    along = sum(value.steps * moved[axis] / value.step for axis, value in named.items())
    size = sum(value.steps**2 for value in named.values())
    return min(max(along / size, least), FARTHEST) if size else least


def _missing(
    moved: Mapping[str, float], asked: Mapping[str, AxisValue], reach: float, exactly: Collection[str]
) -> dict[str, float]:
    """What each axis that has moved so far still lacks, in its unit.

    One that the style does not name may be anywhere between the source and what little is asked of it.
    """

    def wanted(axis: str, move: float) -> float:
        if axis in exactly:
            return min(reach, 1.0) * asked[axis].value
        if abs(asked[axis].steps) >= NAMED:
            return reach * asked[axis].value
        return _between(move, 0.0, asked[axis].value)

    return {axis: wanted(axis, move) - move for axis, move in moved.items()}


def _quick(before: Manner, after: Manner, asked: Mapping[str, AxisValue], reach: float) -> Tensor:
    """The quick part of F0 [V] as it should be: with the tremor that is asked for, or with none that was not there."""
    tremor = asked[TREMOR]
    if tremor.steps >= NAMED:
        wanted = math.hypot(depth(before.wave), reach * tremor.value / 12)  # it adds to what there is, as power
        return after.quick + (wanted / depth(after.wave) - 1) * after.wave
    # Intonation has quick parts of its own. Neither they nor a wave among them grow, and they get smaller where F0 has
    # less time to move.
    pace = math.exp(min(0.0, asked[PACE].value))
    quieter = _between(pace * depth(before.quick) / depth(after.quick), 0.5, 1.0)
    calmer = _between(pace * depth(before.wave) / depth(after.wave) / quieter, 0.5, 1.0)
    return quieter * (after.quick - (1 - calmer) * after.wave)


def _goal(after: Manner, quick: Tensor, missing: Mapping[str, float], clear: tuple[float, float]) -> Goal:
    """F0, level and tilt that would put right what is missing, and clearness."""
    pitch = after.pitch.clone()
    if PITCH in missing:
        wanted = 2 ** (after.axes[RANGE] + missing[RANGE])
        # In a narrow range a tremor is up to half as deep: by itself it would be wider than all that is asked for.
        quick = _between(wanted / spread(quick), 0.5, 1.0) * quick
        octaves = widened(after.trend, quick, wanted)  # the tremor has a part in the range
        octaves = octaves - octaves.median() + (after.axes[PITCH] + missing[PITCH]) / 12
        pitch[pitch > 0] = torch.exp2(octaves).clamp(LOWEST_HZ, HIGHEST_HZ)
    return Goal(pitch, pitch.new_tensor([after.axes[axis] + missing[axis] for axis in (LEVEL, TILT)]), clear)


def _approach(listener: Listener, start: Latent, goal: Goal) -> Latent:
    """The latent nearest to where it is that has the melody, colour and clearness of a goal, or nearly so."""

    def colour(z: Tensor) -> Tensor:
        return (listener.colour(z, goal.pitch) - goal.colour).square().sum()

    def breath(z: Tensor) -> Tensor:
        clear = listener.clearness(z, goal.pitch)
        return (clear - clear.clamp(*goal.clear)).square()

    melody = towards(listener.decoder.pitch, listener.embedding, start.z, goal.pitch)
    return Latent(approach(start.z, [breath, melody, colour]), start.mask)


def _between(value: float, one: float, other: float) -> float:
    return min(max(value, min(one, other)), max(one, other))
