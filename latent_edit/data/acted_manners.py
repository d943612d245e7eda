"""Manners learnt from acted speech: each take of an emotion against the same actor's neutral take of the sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from latent_edit.axes import AXES, BREATHINESS, PACE, PITCH, RANGE, TILT, TREMOR
from latent_edit.data import acted_rhythm
from latent_edit.data.corpora import Utterance
from latent_edit.data.takes import TakePair
from latent_edit.manners import PLACES, Manner, Take, at_places
from latent_edit.measures import FRAME_SECONDS, Measurements, contours, measure
from latent_edit.models.energies import energies
from latent_edit.success import BREATH, HARMONICITY_DB, effects
from latent_edit.types import Waveform

RATE = 16_000
MODES = 3
EMPHASIS = 1.5  # the mean of many takes is flatter than each of them
# Share of the variance between actors and sentences that other takes of one manner have. An actor's repetitions have
# about a half; with that, emotions were heard less from the shape (31 rather than 44 % of 32 edits).
VARIETY = 0.2
MEASURED_AXES = (PITCH, RANGE, PACE, TILT, TREMOR)  # not level, which was set clip by clip


@dataclass(frozen=True, eq=False)
class Prosody:
    """Of one clip. shape: F0 and energy over time, each with mean 0 and deviation 1, [2, PLACES]; bands: dB."""

    measurements: Measurements
    shape: np.ndarray
    bands: np.ndarray


def learn(pairs: Sequence[TakePair]) -> dict[str, Manner]:
    """Each manner that is acted in the pairs: axes in the median over takes, contours `EMPHASIS` times the mean."""
    found: dict[str, list[tuple[Prosody, Prosody]]] = {}
    timed: dict[str, list[list[acted_rhythm.SharedSound]]] = {}
    for pair in pairs:
        timed.setdefault(pair.manner, []).append(acted_rhythm.shared_sounds(pair))
        plain, styled = prosody(pair.plain), prosody(pair.styled)
        if plain is not None and styled is not None:
            found.setdefault(pair.manner, []).append((plain, styled))
    return {manner: _manner(takes, acted_rhythm.learn(timed[manner])) for manner, takes in sorted(found.items())}


def _manner(takes: Sequence[tuple[Prosody, Prosody]], rhythm: np.ndarray) -> Manner:
    moved = [effects(plain.measurements, styled.measurements) for plain, styled in takes]
    axes = {}
    for name, measured, unit in [*((name, name, 1.0) for name in MEASURED_AXES), (BREATHINESS, BREATH, HARMONICITY_DB)]:
        sizes = [size / unit for effect in moved if (size := effect[measured]) is not None]
        axes[name] = float(np.clip(np.median(sizes), AXES[name].minimum, AXES[name].maximum))
    shapes = np.array([styled.shape - plain.shape for plain, styled in takes])
    bands = np.array([styled.bands - plain.bands for plain, styled in takes]).mean(axis=0)
    mean = shapes.mean(axis=0)
    _, sizes, modes = np.linalg.svd((shapes - mean).reshape(len(shapes), -1), full_matrices=False)
    spread = np.sqrt(VARIETY / max(len(shapes) - 1, 1)) * sizes[:MODES, None] * modes[:MODES]
    f0, energy = EMPHASIS * mean
    return Manner(axes, Take(f0, energy, bands - bands.mean()), spread.reshape(-1, 2, PLACES), rhythm)


@lru_cache(maxsize=1024)
def prosody(take: Utterance) -> Prosody | None:
    """What is learnt from a clip; None where there is hardly any voice in it."""
    samples = take.read(RATE)
    found = contours(samples, RATE)
    voiced = ~np.isnan(found.pitch_hz)
    if voiced.sum() < 10:
        return None
    energy = energies(Waveform.of(torch.from_numpy(samples), RATE))
    start, end = energy.start * samples.size / RATE, energy.end * samples.size / RATE
    seconds = np.arange(start, end, FRAME_SECONDS)
    f0 = np.interp(seconds, found.pitch_seconds[voiced], 12 * np.log2(found.pitch_hz[voiced]))
    shape = np.stack(
        [_standardised(at_places(f0, 1 / FRAME_SECONDS)), _standardised(energy.over_time.double().numpy())]
    )
    return Prosody(measure(samples, RATE), shape, energy.over_bands.double().numpy())


def _standardised(points: np.ndarray) -> np.ndarray:
    """With mean 0 and deviation 1."""
    shape: np.ndarray = (points - points.mean()) / max(points.std(), 1e-9)
    return shape
