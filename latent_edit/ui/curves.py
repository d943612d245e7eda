"""Pitch and loudness of before and after over each other, as lines on the time axis of the heatmaps."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from latent_edit.wording import number

if TYPE_CHECKING:
    from latent_edit.types import Waveform

WIDTH = 1000  # of a drawing; its height is 100
MAX_POINTS = 1500  # of a line; a longer clip is drawn with every second or third value
PITCH_TICKS_HZ = (75, 100, 150, 200, 300, 400, 600)
LEVEL_TICKS_DB = (-60, -40, -20, 0)
MARGIN = 0.06  # room above and below the lines, relative to their height
LOWEST_TICK = 86  # in percent from the top: the label stands below its line
FLAT = 1.0  # semitones or dB: the least height of the scale, so that a monotone is a line in the middle

Lines = dict[str, np.ndarray]  # clip -> its values [F], NaN where there is none


def curves_value(clips: Mapping[str, Waveform], seconds: float) -> list[dict[str, Any]]:
    """The two drawings of clips (named before and after) on an axis of so many seconds.

    Each: name, title, explanation, alt, lines (clip, and its SVG path in a box of `WIDTH` x 100), ticks (label, and top
    in percent).
    """
    from latent_edit.measures import contours

    measured = {name: contours(clip.item(0).numpy(), clip.sampling_rate) for name, clip in clips.items()}
    pitch_x = {name: WIDTH * one.pitch_seconds / seconds for name, one in measured.items()}
    level_x = {name: WIDTH * one.level_seconds / seconds for name, one in measured.items()}
    pitch = {name: one.pitch_hz for name, one in measured.items()}
    level = {name: one.level_db for name, one in measured.items()}
    semitones = {name: 12 * np.log2(values) for name, values in pitch.items()}
    return [
        {
            "name": "pitch",
            "title": "Pitch",
            "explanation": "gaps have no steady voice",
            "alt": described("Pitch", pitch, "Hz"),
            **drawing(pitch_x, semitones, {f"{hertz} Hz": float(12 * np.log2(hertz)) for hertz in PITCH_TICKS_HZ}),
        },
        {
            "name": "loudness",
            "title": "Loudness",
            "explanation": "gaps are pauses",
            "alt": described("Loudness", level, "dB"),
            **drawing(level_x, level, {f"{number(decibels, 0)} dB": float(decibels) for decibels in LEVEL_TICKS_DB}),
        },
    ]


def described(what: str, lines: Lines, unit: str) -> str:
    """In words, for those who do not see the drawing: between which values each line moves."""
    moves = []
    for clip, values in lines.items():
        found = values[np.isfinite(values)]
        between = f"{number(found.min(), 0)} to {number(found.max(), 0)} {unit}" if found.size else "nothing to measure"
        moves.append(f"{clip} {between}")
    return f"{what} over time: {', '.join(moves)}."


def drawing(x: Lines, lines: Lines, ticks: Mapping[str, float]) -> dict[str, Any]:
    """Paths and ticks (by label) on the scale that all lines share; neither where nothing was measured."""
    found = np.concatenate([values[np.isfinite(values)] for values in lines.values()])
    if not found.size:
        return {"lines": [], "ticks": []}
    middle, height = (found.max() + found.min()) / 2, (1 + 2 * MARGIN) * max(float(np.ptp(found)), FLAT)

    def top(values: Any) -> Any:
        return 50 - 100 * (values - middle) / height

    return {
        "lines": [{"clip": clip, "line": line_path(x[clip], top(values))} for clip, values in lines.items()],
        "ticks": [
            {"label": label, "top": round(float(top(value)), 1)}
            for label, value in ticks.items()
            if 0 <= top(value) <= LOWEST_TICK
        ],
    }


def line_path(x: np.ndarray, y: np.ndarray) -> str:
    """An SVG path through the points [F], interrupted where y is NaN; a lone point becomes a dot."""
    stride = max(1, -(-x.size // MAX_POINTS))
    points = [None if np.isnan(b) else f"{a:.1f} {b:.1f}" for a, b in zip(x[::stride], y[::stride], strict=True)]
    return "".join(
        f"M{point}h0" if before is None else f"L{point}" for before, point in pairwise([None, *points]) if point
    )
