"""Before and after in one player: two waveforms on one time axis, and a switch that keeps the place in the sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_edit.ui.parts import served_file

if TYPE_CHECKING:
    from latent_edit.result import EditResult, TimedPhoneme

BARS = 96  # of the longer waveform; the shorter one gets as many as its share of the time axis
TICKS = 5  # at most so many seconds are written under a waveform


def player_value(result: EditResult, files: dict[str, Path]) -> dict[str, Any]:
    """What the player shows of an edit whose files `EditResult.save` wrote.

    clips: before and after, each with audio (a WAV file), seconds, share of the time axis in percent, and the waveform.
    moments: see `matching_moments`. ticks: of the time axis. record: the edit.json.
    """
    before, after = result.before.item(0).numpy(), result.after.item(0).numpy()
    longest = max(before.shape[0], after.shape[0])
    loudest = max(float(np.abs(samples).max(initial=1e-9)) for samples in (before, after))

    def clip(name: str, title: str, manner: str, samples: np.ndarray) -> dict[str, Any]:
        share = samples.shape[0] / longest
        bars = max(1, round(BARS * share))
        return {
            "name": name,
            "title": title,
            "manner": manner,
            "audio": served_file(files[f"{name}.wav"]),
            "seconds": round(samples.shape[0] / result.before.sampling_rate, 3),
            "share": round(100 * share, 2),
            "bars": bars,
            "wave": waveform_path(samples / loudest, bars),
        }

    return {
        "clips": [
            clip("before", "Before", "the plain reading", before),
            clip("after", "After", result.request.prompt.strip() or "like the clip", after),
        ],
        "moments": matching_moments(result.phonemes_before, result.phonemes_after),
        "ticks": time_ticks(longest / result.before.sampling_rate),
        "record": served_file(files["edit.json"]),
    }


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
