"""Manners learnt from acted speech: each take of an emotion against the same actor's neutral take of the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from latent_edit.axes import AXES, PACE, PITCH, RANGE, TILT, TREMOR
from latent_edit.data.corpora import Utterance
from latent_edit.data.takes import TakePair
from latent_edit.manners import BAND_EDGES_HZ, FLOOR_DB, PLACES, Manner, Take, at_places
from latent_edit.measures import FRAME_SECONDS, Measurements, contours, measure
from latent_edit.success import effects

RATE = 16_000
MODES = 3
EMPHASIS = 1.5  # the mean of many takes is flatter than each of them
# Share of the variance between actors and sentences that other takes of one manner have. An actor's repetitions have
# about a half; with that, emotions were heard less from the shape (31 rather than 44 % of 32 edits).
VARIETY = 0.2
MEASURED_AXES = (PITCH, RANGE, PACE, TILT, TREMOR)  # not level, which was set clip by clip, nor breath


@dataclass(frozen=True, eq=False)
class Prosody:
    """Of one clip. shape: F0 and energy over time, each with mean 0 and deviation 1, [2, PLACES]; bands: dB."""

    measurements: Measurements
    shape: np.ndarray
    bands: np.ndarray


def learn(pairs: Sequence[TakePair]) -> dict[str, Manner]:
    """Each manner that is acted in the pairs: axes in the median over takes, contours `EMPHASIS` times the mean."""
    found: dict[str, list[tuple[Prosody, Prosody]]] = {}
    for pair in pairs:
        plain, styled = prosody(pair.plain), prosody(pair.styled)
        if plain is not None and styled is not None:
            found.setdefault(pair.manner, []).append((plain, styled))
    return {manner: _manner(takes) for manner, takes in sorted(found.items())}


def _manner(takes: Sequence[tuple[Prosody, Prosody]]) -> Manner:
    moved = [effects(plain.measurements, styled.measurements) for plain, styled in takes]
    axes = {}
    for name in MEASURED_AXES:
        sizes = [size for effect in moved if (size := effect[name]) is not None]
        axes[name] = float(np.clip(np.median(sizes), AXES[name].minimum, AXES[name].maximum))
    shapes = np.array([styled.shape - plain.shape for plain, styled in takes])
    bands = np.array([styled.bands - plain.bands for plain, styled in takes]).mean(axis=0)
    mean = shapes.mean(axis=0)
    _, sizes, modes = np.linalg.svd((shapes - mean).reshape(len(shapes), -1), full_matrices=False)
    spread = np.sqrt(VARIETY / max(len(shapes) - 1, 1)) * sizes[:MODES, None] * modes[:MODES]
    f0, energy = EMPHASIS * mean
    return Manner(axes, Take(f0, energy, bands - bands.mean()), spread.reshape(-1, 2, PLACES))


@lru_cache(maxsize=1024)
def prosody(take: Utterance) -> Prosody | None:
    """What is learnt from a clip; None where there is hardly any voice in it."""
    samples = take.read(RATE)
    found = contours(samples, RATE)
    voiced, active = ~np.isnan(found.pitch_hz), np.flatnonzero(~np.isnan(found.level_db))
    if voiced.sum() < 10:
        return None
    start, end = found.level_seconds[active[0]], found.level_seconds[active[-1]]
    seconds = np.arange(start, end, FRAME_SECONDS)
    f0 = np.interp(seconds, found.pitch_seconds[voiced], 12 * np.log2(found.pitch_hz[voiced]))
    loudest = np.nanmax(found.level_db)
    level = np.nan_to_num(found.level_db, nan=loudest - FLOOR_DB)
    energy = np.interp(seconds, found.level_seconds, np.maximum(level, loudest - FLOOR_DB))
    return Prosody(measure(samples, RATE), np.stack([_shape(f0), _shape(energy)]), _bands(samples))


def _shape(contour: np.ndarray) -> np.ndarray:
    """At PLACES places, with mean 0 and deviation 1."""
    points = at_places(contour, 1 / FRAME_SECONDS)
    shape: np.ndarray = (points - points.mean()) / max(points.std(), 1e-9)
    return shape


def _bands(samples: np.ndarray) -> np.ndarray:
    """Energy of each band in dB over the loud frames."""
    size = 512
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, size), size)[:: size // 2] * np.hanning(size)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    total = power.sum(axis=1)
    mean = power[total > total.max() * 10 ** (-FLOOR_DB / 10)].mean(axis=0)
    hertz = np.fft.rfftfreq(size, 1 / RATE)
    return np.array(
        [10 * np.log10(mean[(hertz >= low) & (hertz < high)].sum() + 1e-12) for low, high in pairwise(BAND_EDGES_HZ)]
    )
