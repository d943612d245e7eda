"""Whether somebody speaks in a recording, and how far above its noise.

Three signs tell speech from noise and music, each simple and known (Scheirer & Slaney 1997, ICASSP, "Construction and
evaluation of a robust multifeature speech/music discriminator"): speech comes and goes, so that its loud frames stand
far above its quiet ones; the shape of its spectrum changes from sound to sound, which that of noise does not; and its
F0 glides, where that of notes stands still. A whisper has no F0, and is speech by the other two.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latent_edit.errors import InputError
from latent_edit.measures import FRAME_SECONDS, active_frames, steady_voicing, track_pitch

BANDS_HZ = np.geomspace(100.0, 7_600.0, 19)  # edges of a third of an octave each
SMOOTHED_FRAMES = 5  # of 10 ms: a frame of noise alone is a poor estimate of its level
FLOOR_QUANTILE = 0.1  # of the frames of a band: between the sounds of speech there is only noise
FLOOR_BIAS = 1.5  # of noise, the mean over that quantile of its smoothed frames
# Recordings of twelve speakers and their mixtures with noise and music have at least 13 dB (6 where noise is as loud),
# 4.3 dB and 11 semitones per second; noise had at most 2.3 dB of change, and music and tones glided by at most 4.
MIN_RANGE_DB, MIN_UNVOICED_RANGE_DB, MIN_CHANGE_DB, MIN_GLIDE = 6.0, 12.0, 3.0, 5.0
MIN_VOICED_FRAMES = 10
NOISY_DB, VERY_NOISY_DB = 20.0, 12.0  # signal-to-noise ratio from which on some words, and many, are lost


@dataclass(frozen=True)
class Quality:
    """What a recording is worth as speech.

    snr_db: estimated signal-to-noise ratio. range_db: 10th to 95th percentile of the level. change_db: standard
    deviation of the spectrum's shape over time. glide: median speed of F0 in semitones per second, None without F0.
    """

    snr_db: float
    range_db: float
    change_db: float
    glide: float | None

    @property
    def is_speech(self) -> bool:
        """Whether somebody speaks, as far as these signs tell."""
        if self.change_db < MIN_CHANGE_DB:
            return False
        if self.glide is None:  # a whisper; chords have no F0 either, and hardly pause
            return self.range_db >= MIN_UNVOICED_RANGE_DB
        return self.range_db >= MIN_RANGE_DB and self.glide >= MIN_GLIDE

    def check(self, clip: Path) -> None:
        """Raises InputError unless somebody speaks in the clip that was measured."""
        if not self.is_speech:
            raise InputError(f"no speech can be made out in {clip}: noise or music alone cannot be used; give a voice")

    @property
    def is_noisy(self) -> bool:
        """Whether noise is loud enough to cost words."""
        return self.snr_db < NOISY_DB

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know, one line each; nothing of a clean recording."""
        if not self.is_noisy:
            return ()
        lost = "words will be lost" if self.snr_db < VERY_NOISY_DB else "some words may be lost"
        return (
            f"This recording is noisy: speech stands about {self.snr_db:.0f} dB above the noise, and {lost}. "
            "Record closer to the microphone, or where it is quieter.",
        )


def quality(samples: np.ndarray, sampling_rate: int) -> Quality:
    """Measure mono audio [N]; never raises on short audio. Loudness does not matter."""
    samples = np.asarray(samples, dtype=np.float64)
    powers = _smoothed(_band_powers(samples, sampling_rate))
    floor = FLOOR_BIAS * np.quantile(powers, FLOOR_QUANTILE, axis=0)
    energies = powers.sum(axis=1)
    levels = 10 * np.log10(energies)
    active = active_frames(energies / energies.max())  # a microphone is as loud as it happens to be
    signal, noise = energies[active].mean() - floor.sum(), floor.sum()
    shape = 10 * np.log10(powers)
    shape = shape - shape.mean(axis=0)
    shape = shape - shape.mean(axis=1, keepdims=True)
    return Quality(
        snr_db=float(10 * np.log10(max(signal, 0.01 * noise) / noise)),
        range_db=float(np.subtract(*np.percentile(levels, [95, 10]))),
        change_db=float(np.sqrt((shape**2).mean())),
        glide=_glide(samples, sampling_rate),
    )


def _band_powers(samples: np.ndarray, sampling_rate: int) -> np.ndarray:
    """Power in each band [F, B], of frames of 25 ms every 10 ms, above nothing at all."""
    hop, width = round(FRAME_SECONDS * sampling_rate), round(0.025 * sampling_rate)
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(samples, (width // 2, width)), width)[: samples.size : hop]
    powers = np.abs(np.fft.rfft(frames * np.hanning(width), axis=1)) ** 2
    hertz = np.fft.rfftfreq(width, 1 / sampling_rate)
    band = np.digitize(hertz, BANDS_HZ)
    used = [powers[:, band == index].sum(axis=1) for index in range(1, BANDS_HZ.size) if (band == index).any()]
    stacked = np.stack(used, axis=1)
    return stacked + 1e-9 * stacked.mean() + 1e-20


def _smoothed(powers: np.ndarray) -> np.ndarray:
    """Running means over time of [F, B]; at the ends of fewer frames."""
    total = np.cumsum(np.pad(powers, ((1, 0), (0, 0))), axis=0)
    centre, reach = np.arange(len(powers)), SMOOTHED_FRAMES // 2
    first, last = np.maximum(centre - reach, 0), np.minimum(centre + reach + 1, len(powers))
    means: np.ndarray = (total[last] - total[first]) / (last - first)[:, None]
    return np.maximum(means, powers.min())


def _glide(samples: np.ndarray, sampling_rate: int) -> float | None:
    track = track_pitch(samples, sampling_rate)
    steady = steady_voicing(track)
    if steady.sum() < MIN_VOICED_FRAMES:
        return None
    semitones = 12 * np.log2(np.maximum(track.frequencies, 1.0))
    steps = np.abs(np.diff(semitones))[steady[1:] & steady[:-1]]
    return float(np.median(steps) / FRAME_SECONDS)
