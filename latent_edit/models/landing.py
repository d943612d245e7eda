"""Z' brought to where the axes of its style are, as the frozen decoder hears it.

A bridge goes in the right direction, but one axis goes too far and another not far enough. The decoder of the embedded
voice tells F0 and filters apart, so what is missing can be written down as a goal, and a few steps of gradient descent
on the latent lead there: latent optimisation, by alternating projections. The axis head of the CLAP says where, the
bridge how far, and all the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from latent_edit.measures import ACTIVE_RANGE_DB, TILT_EDGES_HZ
from latent_edit.models.clap import AxisValue
from latent_edit.models.harmonic_source import HIGHEST_HZ, LOWEST_HZ
from latent_edit.models.heard import as_condition, breathy, clearness, hear
from latent_edit.models.melody import spread, towards, trend, widened
from latent_edit.models.projections import approach
from latent_edit.models.spectrogram import linear_spectrogram
from latent_edit.models.vits import FrozenVits
from latent_edit.types import Latent

NAMED = 0.5  # of an axis' step, which is just audible; a style that asks for less does not name it
FARTHEST = 2.0  # times the size of a style
NEGLIGIBLE = 0.1  # of a step; where no axis misses more, the latent stays as it is
LEAST_VOICED_SECONDS = 0.2
LARGEST_GAIN = 2.0  # of a tremor that is there, or its inverse; one that is not there cannot be made
CLEAR_DB = 10.0  # so far the first harmonics stay above noise where a style names no breath
WHISPER = 0.8  # breathiness from which on a style asks for no voice at all
PITCH, RANGE, LEVEL, TILT, TREMOR = "pitch_semitones", "range_ratio_log2", "level_db", "tilt_db", "tremor_semitones"
BREATH, PACE = "breathiness", "pace_log_ratio"


@dataclass(frozen=True)
class Manner:
    """How a latent is spoken.

    pitch: F0 in Hz [1, T], zero where unvoiced; trend and quick: the two parts of its voiced octaves, [V] each.
    active: frames of the spectra that are not pause, bool [F]. clearness: of the first harmonics in dB.
    axes: where it is, by name of the axis and in its unit; those of F0 only where there is some.
    """

    pitch: Tensor
    trend: Tensor
    quick: Tensor
    active: Tensor
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
        power = self.power(z, pitch)
        frames = power.sum(0)
        active = frames >= frames.quantile(0.95) * 10 ** (-ACTIVE_RANGE_DB / 10)
        level, tilt = self.colour(power[:, active]).tolist()
        axes = {LEVEL: level, TILT: tilt}
        octaves = torch.log2(pitch[pitch > 0])
        slow = trend(pitch[0], self.frames_per_second)
        if len(octaves) >= LEAST_VOICED_SECONDS * self.frames_per_second:
            tremor = 12 * math.sqrt(2) * float((octaves - slow).std())
            axes |= {PITCH: 12 * float(octaves.median()), RANGE: math.log2(spread(octaves)), TREMOR: tremor}
        return Manner(pitch, slow, octaves - slow, active, float(self.clearness(z, pitch)), axes)

    def power(self, z: Tensor, pitch: Tensor) -> Tensor:
        """Of what is spoken at an F0 in Hz [1, T]: [bins, F]."""
        samples = self.decoder(z, self.embedding, pitch).squeeze(1)
        return linear_spectrogram(samples, self.decoder.filter_size, self.decoder.filter_hop)[0].square()

    def colour(self, power: Tensor) -> Tensor:
        """Level and tilt [2] in dB of spectra [bins, F]."""
        mean = power.mean(1)
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
    edited: Latent,
    asked: Mapping[str, AxisValue],
    speaker: str | int,
    least: float = 1.0,
) -> Latent:
    """Near an edited latent [1, C, T], one that differs from its source in the axes as a style asks.

    asked: by name of the axis, as a CLAP with an axis head reads it. speaker: whose latents they are; another one's
    decoder may land them a little off. How far along the style is the bridge's affair, as it is and up to `FARTHEST`,
    but no less than `least` times the style's size; a tremor alone is as deep as asked for, and so is breath, by how
    clear it leaves the first harmonics; what drowns them without being asked for is taken back, and a whisper is left
    as it is. Pace is not touched, and nor is a latent without these axes, or of a voice whose decoder does not tell F0
    and filters apart.
    """
    if not vits.has_source_filter or not {PITCH, RANGE, LEVEL, TILT, TREMOR, BREATH, PACE} <= asked.keys():
        return edited
    listener = Listener(vits, speaker)
    before, after = listener.hear(source.z), listener.hear(edited.z)
    missing = _missing(before, after, asked, least)
    lowest, highest = _clear(listener, source.z, before, asked[BREATH], least)
    arrived = all(abs(value) < NEGLIGIBLE * asked[axis].step for axis, value in missing.items())
    if arrived and lowest <= after.clearness <= highest:
        return edited
    return Latent(_approach(listener, edited.z, after, _goal(after, missing, (lowest, highest))), edited.mask)


def _clear(listener: Listener, source: Tensor, before: Manner, breath: AxisValue, least: float) -> tuple[float, float]:
    """From and up to how clear the first harmonics have to be, in dB."""
    if breath.value >= WHISPER:
        return -math.inf, math.inf
    if breath.steps < NAMED:  # no clearer than the source, which may have little voice or a deep one
        return min(before.clearness, CLEAR_DB), math.inf
    asked = listener.clear_with(source, min(least, 1.0) * breath.value)
    return asked, asked


def _missing(before: Manner, after: Manner, asked: Mapping[str, AxisValue], least: float) -> dict[str, float]:
    """What each axis lacks, in its unit.

    An axis that the style does not name may be anywhere between the source and what little is asked of it.
    """
    moved = {axis: after.axes[axis] - before.axes[axis] for axis in after.axes if axis in before.axes}
    named = {axis: value for axis, value in asked.items() if axis in moved and abs(value.steps) >= NAMED}
    if TREMOR in named and asked[TREMOR].value < 0:
        del named[TREMOR]  # there is none below zero
    along = sum(value.steps * moved[axis] / value.step for axis, value in named.items() if axis != TREMOR)
    size = sum(value.steps**2 for axis, value in named.items() if axis != TREMOR)
    reach = min(max(along / size, least), FARTHEST) if size else least
    wanted = {
        axis: reach * asked[axis].value if axis in named else _between(move, 0.0, asked[axis].value)
        for axis, move in moved.items()
    }
    if TREMOR in moved:
        # Intonation has quick parts of its own, which grow a little with its range; a tremor adds to them as power.
        # Where none is asked for they do not grow, and get smaller where F0 has less time to move.
        quick = before.axes[TREMOR]
        own = min(quick * 2 ** wanted[RANGE], quick + NAMED * asked[TREMOR].step)
        if TREMOR not in named:
            own = quick * math.exp(min(0.0, asked[PACE].value))
        most = math.hypot(own, (reach if TREMOR in named else 1.0) * asked[TREMOR].value)
        wanted[TREMOR] = (most if TREMOR in named else min(most, after.axes[TREMOR])) - quick
    return {axis: wanted[axis] - move for axis, move in moved.items()}


def _goal(after: Manner, missing: Mapping[str, float], clear: tuple[float, float]) -> Goal:
    """F0, level and tilt that would put right what is missing, and clearness."""
    pitch = after.pitch.clone()
    if PITCH in missing:
        wanted = 2 ** (after.axes[RANGE] + missing[RANGE])
        gain = _between(1 + missing[TREMOR] / max(after.axes[TREMOR], 1e-3), 1 / LARGEST_GAIN, LARGEST_GAIN)
        # In a narrow range a tremor is up to half as deep: by itself it would be wider than all that is asked for.
        gain = max(min(gain, wanted / spread(after.quick)), gain / 2)
        quick = gain * after.quick
        octaves = widened(after.trend, quick, wanted)  # the tremor has a part in the range
        octaves = octaves - octaves.median() + (after.axes[PITCH] + missing[PITCH]) / 12
        pitch[pitch > 0] = torch.exp2(octaves).clamp(LOWEST_HZ, HIGHEST_HZ)
    return Goal(pitch, pitch.new_tensor([after.axes[axis] + missing[axis] for axis in (LEVEL, TILT)]), clear)


def _approach(listener: Listener, start: Tensor, after: Manner, goal: Goal) -> Tensor:
    """The latent nearest to where it is that has the melody, colour and clearness of a goal, or nearly so."""

    def colour(z: Tensor) -> Tensor:
        return (listener.colour(listener.power(z, goal.pitch)[:, after.active]) - goal.colour).square().sum()

    def breath(z: Tensor) -> Tensor:
        clear = listener.clearness(z, goal.pitch)
        return (clear - clear.clamp(*goal.clear)).square()

    melody = towards(listener.decoder.pitch, listener.embedding, start, goal.pitch)
    return approach(start, [breath, melody, colour])


def _between(value: float, one: float, other: float) -> float:
    return min(max(value, min(one, other)), max(one, other))
