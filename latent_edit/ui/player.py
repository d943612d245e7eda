"""Before and after in one player: two waveforms on one time axis, and a switch that keeps the place in the sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from latent_edit import audio
from latent_edit.ui.described import described
from latent_edit.ui.parts import served_file

if TYPE_CHECKING:
    from latent_edit.result import EditResult, TimedPhoneme
    from latent_edit.synthesis import Synthesis
    from latent_edit.types import Waveform

BARS = 96  # of the longer waveform; the shorter one gets as many as its share of the time axis
TICKS = 5  # at most so many seconds are written under a waveform


def unedited(phonemes: Sequence[TimedPhoneme]) -> str:
    """What "before" is: only of a text is it known what is said."""
    return "the plain reading" if phonemes else "your recording, in this voice"


def latent_name(phonemes: Sequence[TimedPhoneme]) -> str:
    """What the latent of "before" is called, likewise."""
    return "Z_text" if phonemes else "Z_audio"


def player_value(result: EditResult, files: dict[str, Path]) -> dict[str, Any]:
    """What the player shows of an edit whose files `EditResult.save` wrote.

    clips: before and after, each with audio (a WAV file), seconds, share of the time axis in percent, and the waveform;
    of a recording the original comes first, as loud as before. original: whether there is one.
    moments: see `matching_moments`. ticks: of the time axis. record: the edit.json; None while there is only before.
    settings: of the edit, each in few words.
    """
    after = result.request.prompt.strip() or "like the clip"
    clips = [
        Clip("before", "Before", unedited(result.phonemes_before), result.before, files["before.wav"]),
        Clip("after", "After", after, result.after, files["after.wav"]),
    ]
    if result.recording is not None:
        clips.insert(0, _original(result.recording, result.gain, files["before.wav"].with_name("original.wav")))
    moments = matching_moments(result.phonemes_before, result.phonemes_after)
    settings = described(result.request)
    record = served_file(files["edit.json"])
    original = result.recording is not None
    return {**_clips(clips), "moments": moments, "record": record, "settings": settings, "original": original}


def _original(recording: Waveform, gain: float, file: Path) -> Clip:
    """What was given, at the level at which the voice says it again, written to `file`."""
    from latent_edit.recording import levelled

    loud = levelled(recording)
    samples = loud.item(0).numpy()
    audio.write_wav(file, samples, loud.sampling_rate, min(gain, audio.shared_gain(samples)))
    return Clip("original", "Original", "as it was given", loud, file)


def synthesis_value(synthesis: Synthesis, file: Path) -> dict[str, Any]:
    """What the player shows while the bridge still works: the plain synthesis, which is in this WAV file."""
    clips = [Clip("before", "Before", unedited(synthesis.phonemes), synthesis.waveform, file)]
    return {**_clips(clips), "moments": matching_moments((), ()), "record": None}


class Clip(NamedTuple):
    """One of the clips of the player; the title is followed by the manner."""

    name: str
    title: str
    manner: str
    waveform: Waveform
    file: Path


def _clips(clips: Sequence[Clip]) -> dict[str, Any]:
    """The clips on one time axis and one scale of height."""
    samples = [clip.waveform.item(0).numpy() for clip in clips]
    longest, rate = max(each.shape[0] for each in samples), clips[0].waveform.sampling_rate
    loudest = max(float(np.abs(each).max(initial=1e-9)) for each in samples)
    described = []
    for clip, each in zip(clips, samples, strict=True):
        share = each.shape[0] / longest
        bars = max(1, round(BARS * share))
        described.append(
            {
                "name": clip.name,
                "title": clip.title,
                "manner": clip.manner,
                "audio": served_file(clip.file),
                "seconds": round(each.shape[0] / rate, 3),
                "share": round(100 * share, 2),
                "bars": bars,
                "wave": waveform_path(each / loudest, bars),
            }
        )
    return {"clips": described, "ticks": time_ticks(longest / rate)}


def waveform_path(samples: np.ndarray, bars: int) -> str:
    """An SVG path of vertical bars, one unit apart, around y = 50: the peak (0..1) of each stretch of samples [N]."""
    path = []
    for index, stretch in enumerate(np.array_split(samples, bars)):
        half = max(48 * float(np.abs(stretch).max(initial=0.0)), 1.0)
        path.append(f"M{index + 0.5} {50 - half:.0f}V{50 + half:.0f}")
    return "".join(path)


def matching_moments(before: Sequence[TimedPhoneme], after: Sequence[TimedPhoneme]) -> list[list[float]]:
    """Pairs of seconds [before, after] at which the same phoneme begins; both columns rise strictly.

    Between two pairs, time is taken as linear. Without the same phonemes on both sides only the start corresponds.
    """
    moments = [[0.0, 0.0]]
    if len(before) != len(after):
        return moments
    edges = [(b.start_second, a.start_second) for b, a in zip(before, after, strict=True)]
    edges += [(b.end_second, a.end_second) for b, a in zip(before[-1:], after[-1:], strict=True)]
    for b, a in edges:
        if b > moments[-1][0] and a > moments[-1][1]:
            moments.append([round(b, 3), round(a, 3)])
    return moments


def time_ticks(seconds: float) -> list[dict[str, Any]]:
    """Round seconds along an axis of that length: label, and position in percent."""
    step = next(step for step in (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, math.inf) if seconds / step <= TICKS)
    if math.isinf(step):
        return []
    count = math.ceil(round(seconds / step, 6))  # a tick at the very end would have no room
    labels = ["0 s", *(f"{index * step:g}" for index in range(1, count))]
    return [{"label": label, "left": round(100 * index * step / seconds, 2)} for index, label in enumerate(labels)]
