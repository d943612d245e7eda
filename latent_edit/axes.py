"""The style axes: seven measurable ways in which speech can be changed."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """One way in which speech can be changed.

    name: field of `data.styles.Style`, which says its unit. title, unit: for people. minimum, maximum: what sounds
    natural enough to train on. floor: smallest size at which a style counts as naming the axis. tolerance: how far the
    axis may move (in its own unit; breathiness in voiced share) when a style does not name it. Breathiness shows in two
    measures: up to about 0.5 the voice stays and `harmonicity_db` falls (about 5 dB at 0.5), from there on the voiced
    share falls to nothing.
    """

    name: str
    minimum: float
    maximum: float
    floor: float
    tolerance: float
    title: str
    unit: str


AXES: dict[str, Axis] = {
    axis.name: axis
    for axis in (
        Axis("pitch_semitones", -7.0, 8.0, 3.0, 1.0, "Pitch", "st"),
        Axis("range_ratio_log2", -3.0, 1.0, 0.5, 0.4, "Pitch range", "octaves of ratio"),
        Axis("pace_log_ratio", -0.5, 0.5, 0.15, 0.08, "Pace", "log of length"),
        Axis("level_db", -10.0, 10.0, 4.0, 2.0, "Level", "dB"),
        Axis("tilt_db", -8.0, 9.0, 3.0, 2.0, "Vocal effort", "dB"),
        Axis("breathiness", 0.0, 1.0, 0.4, 0.15, "Breath", ""),
        Axis("tremor_semitones", 0.0, 2.2, 0.8, 0.5, "Tremor", "st"),
    )
}
LIMITS: dict[str, tuple[float, float]] = {  # what may be asked for by a number or by hand, in the axis' unit
    "pitch_semitones": (-12.0, 12.0),
    "range_ratio_log2": (-3.0, 1.5),
    "pace_log_ratio": (-math.log(2), math.log(2)),
    "level_db": (-20.0, 20.0),
    "tilt_db": (-12.0, 12.0),
    "breathiness": (0.0, 1.0),
    "tremor_semitones": (0.0, 3.0),
}
