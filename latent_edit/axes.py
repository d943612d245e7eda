"""The style axes: seven measurable ways in which speech can change. Everything about them stands here, once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

PITCH, RANGE, PACE = "pitch_semitones", "range_ratio_log2", "pace_log_ratio"
LEVEL, TILT, BREATHINESS, TREMOR = "level_db", "tilt_db", "breathiness", "tremor_semitones"

WHISPER = 0.8  # breathiness from which on a style is a whisper: no voicing is left
AUDIBLE_STEPS = 0.5  # of an axis' floor: what a style embedding asks for below it is not heard, so not asked for


@dataclass(frozen=True)
class Axis:
    """One way in which speech can be changed.

    name: its unit is the last part (semitones, log2 of a ratio, log of a ratio, dB; breathiness: 0 to 1). minimum,
    maximum: what sounds natural enough to train on. floor: smallest size at which a style counts as naming the axis.
    tolerance: how far the axis may move (in its own unit; breathiness in voiced share) when a style does not name it.
    title, unit: for people. Breathiness shows in two measures: up to about 0.5 the voice stays and `harmonicity_db`
    falls (about 5 dB at 0.5), from there on the voiced share falls to nothing.
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
        Axis(PITCH, -7.0, 8.0, floor=3.0, tolerance=1.0, title="Pitch", unit="st"),
        Axis(RANGE, -3.0, 1.0, floor=0.5, tolerance=0.4, title="Pitch range", unit="octaves of ratio"),
        Axis(PACE, -0.5, 0.5, floor=0.15, tolerance=0.08, title="Pace", unit="log of length"),
        Axis(LEVEL, -10.0, 10.0, floor=4.0, tolerance=2.0, title="Level", unit="dB"),
        Axis(TILT, -8.0, 9.0, floor=3.0, tolerance=2.0, title="Vocal effort", unit="dB"),
        Axis(BREATHINESS, 0.0, 1.0, floor=0.4, tolerance=0.15, title="Breath", unit=""),
        Axis(TREMOR, 0.0, 2.2, floor=0.8, tolerance=0.5, title="Tremor", unit="st"),
    )
}


class AxisValue(NamedTuple):
    """What a style asks of one axis: value, in the axis' unit; step: the floor that the CLAP was trained with; exact:
    whether it is to be that much however far a bridge goes.
    """

    value: float
    step: float
    exact: bool = False

    @property
    def steps(self) -> float:
        """The value in steps."""
        return self.value / self.step

    @property
    def named(self) -> bool:
        """Whether the style asks for as much as can be heard."""
        return abs(self.steps) >= AUDIBLE_STEPS


LIMITS: dict[str, tuple[float, float]] = {  # what may be asked for by a number or by hand, in the axis' unit
    PITCH: (-12.0, 12.0),
    RANGE: (-3.0, 1.5),
    PACE: (-math.log(2), math.log(2)),
    LEVEL: (-20.0, 20.0),
    TILT: (-12.0, 12.0),
    BREATHINESS: (0.0, 1.0),
    TREMOR: (0.0, 3.0),
}
