"""Styles: points on seven measurable axes of how a sentence is spoken. `data.world` renders them."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from latent_edit.axes import AXES, BREATHINESS, WHISPER, Axis
from latent_edit.config import load_styles
from latent_edit.errors import InputError

IDENTITY_SHARE, NAMED_SHARE = 0.15, 0.4  # of random styles; the rest are free combinations
MAX_COMBINED_AXES = 4
JITTER = 0.25  # relative half-width around a named point: inside the 0.5 to 2 times that count as a hit


@dataclass(frozen=True)
class Style:
    """A change of manner; zero on every axis is the neutral reading. Values combine freely.

    pitch_semitones: shift of F0. range_ratio_log2: log2 of the factor on log-F0 excursions around the median.
    pace_log_ratio: log of the duration ratio, positive is slower. level_db: RMS over speech.
    tilt_db: vocal effort, energy above 1 kHz relative to below. breathiness: 0 to 1, where 1 is a whisper without
    voicing. tremor_semitones: zero-to-peak F0 modulation at about 6 Hz.
    """

    pitch_semitones: float = 0.0
    range_ratio_log2: float = 0.0
    pace_log_ratio: float = 0.0
    level_db: float = 0.0
    tilt_db: float = 0.0
    breathiness: float = 0.0
    tremor_semitones: float = 0.0

    @staticmethod
    def named(prompt: str) -> Style:
        """The preset of this prompt; InputError if there is none."""
        styles = load_styles()
        if prompt not in styles:
            raise InputError(f"there is no preset style {prompt!r}; known: {', '.join(styles)}")
        return Style(**styles[prompt])

    @property
    def is_whisper(self) -> bool:
        """Whether no voicing is to be left."""
        return self.breathiness >= WHISPER

    @property
    def named_axes(self) -> tuple[str, ...]:
        """The axes this style asks to move."""
        return tuple(name for name, value in asdict(self).items() if value != 0.0)

    def as_array(self) -> np.ndarray:
        """Axis values in the order of `AXES`, [7] float32."""
        return np.array([getattr(self, name) for name in AXES], dtype=np.float32)


def jitter(style: Style, generator: np.random.Generator) -> Style:
    """A neighbour: every named axis scaled by 0.75 to 1.25. Axes at zero stay there, and so does a full whisper."""
    values = asdict(style)
    for name in style.named_axes:
        if name != BREATHINESS or values[name] < WHISPER:
            values[name] = _inside(name, values[name] * generator.uniform(1 - JITTER, 1 + JITTER))
    return Style(**values)


def random_style(generator: np.random.Generator) -> Style:
    """A style to train on: the identity, a named style with jitter, or a free combination of 1 to 4 axes."""
    kind = generator.random()
    if kind < IDENTITY_SHARE:
        return Style()
    if kind < IDENTITY_SHARE + NAMED_SHARE:
        names = [name for name, axes in load_styles().items() if axes]
        return jitter(Style.named(names[generator.integers(len(names))]), generator)
    count = generator.integers(1, MAX_COMBINED_AXES + 1)
    chosen = generator.choice(list(AXES), size=count, replace=False)
    return Style(**{str(name): _random_value(AXES[str(name)], generator) for name in chosen})


def style_of(axes: np.ndarray) -> Style:
    """A `Style` from axis values [7]; whatever is below a hundredth of an axis' floor is exactly zero."""
    kept = np.where(np.abs(axes) < 0.01 * np.array([axis.floor for axis in AXES.values()]), 0.0, axes)
    return Style(**{name: float(value) for name, value in zip(AXES, kept, strict=True)})


def _random_value(axis: Axis, generator: np.random.Generator) -> float:
    """A size from half the floor (just audible) to the axis' end, either sign where the axis has two."""
    if axis.name == BREATHINESS and generator.random() < 0.3:
        return 1.0  # a whisper is a manner of its own, not the end of a scale that is never reached
    end = axis.minimum if generator.random() < 0.5 and axis.minimum < 0 else axis.maximum
    return float(np.sign(end) * generator.uniform(axis.floor / 2, abs(end)))


def _inside(name: str, value: float) -> float:
    return float(np.clip(value, AXES[name].minimum, AXES[name].maximum))
