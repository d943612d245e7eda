"""What the emotion judges know of a clip: functionals of its prosody and spectrum, and the shape of its contours.

F0 is SwiftF0's and the spectrum has nothing in common with `measures`, at which the optimiser of this project aims.
"""

from __future__ import annotations

import numpy as np

from latent_edit.audio import resample
from latent_edit.judges import RATE, VOICED_CONFIDENCE, f0_contour

FRAME = 256  # samples, 16 ms at 16 kHz: the frames of SwiftF0
WINDOW = 512
BANDS = 14  # of the mel spectrum
ROOT_MEAN_SQUARE = 0.05  # that every clip is brought to
ACTIVE_RANGE_DB = 35.0  # speech lies within this range below its loudest frames
SMOOTHING_FRAMES = 4.0  # standard deviation of the Gaussian over contours, 64 ms
POINTS = 24  # of a contour's shape
PERCENTILES = (10, 25, 50, 75, 90)


def functionals(samples: np.ndarray, sampling_rate: int) -> np.ndarray | None:
    """F0, timing, dynamics, voicing and mean spectrum of mono speech [N], [D]; None without speech.

    Level is excluded: the energies are relative to their own mean. F0 counts in semitones.
    """
    frames = _Frames.of(samples, sampling_rate)
    if frames is None:
        return None
    semitones, voiced = frames.semitones, frames.voiced
    own = semitones[voiced] if voiced.any() else np.zeros(1)
    steps = np.diff(semitones)[voiced[1:] & voiced[:-1]] if voiced.sum() > 1 else np.zeros(1)
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate([[0], voiced.astype(int), [0]]))))[::2]
    active = frames.energy_db > frames.energy_db.max() - ACTIVE_RANGE_DB
    spectrum = 10 * np.log10(frames.mel[active].mean(axis=0) + 1e-12)
    return np.concatenate(
        [
            np.percentile(own, PERCENTILES),
            [own.std(), np.abs(steps).mean() if steps.size else 0.0],
            [np.log(len(voiced)), voiced.mean(), np.log(runs.mean()) if runs.size else 0.0, frames.confidence.mean()],
            [frames.energy_db[active].std(), np.abs(np.diff(frames.energy_db)).mean(), active.mean()],
            spectrum - spectrum.mean(),
        ]
    )


def contour_shape(samples: np.ndarray, sampling_rate: int) -> np.ndarray | None:
    """F0, energy and voicing over time, [3 * 24], each z-normalised over the clip and smoothed; None without voice.

    Neither the median of F0 nor its range, neither level nor length can be read from it.
    """
    frames = _Frames.of(samples, sampling_rate)
    if frames is None or frames.voiced.sum() < 2:
        return None
    places = np.arange(len(frames.voiced))
    pitch = np.interp(places, places[frames.voiced], frames.semitones[frames.voiced])
    return np.concatenate([_shape(contour) for contour in (pitch, frames.energy_db, frames.confidence)])


class _Frames:
    """A clip from its first to its last frame of speech, every 16 ms."""

    def __init__(self, frequencies: np.ndarray, confidence: np.ndarray, mel: np.ndarray) -> None:
        self.semitones = 12 * np.log2(np.maximum(frequencies, 1.0))
        self.confidence, self.voiced = confidence, confidence >= VOICED_CONFIDENCE
        self.mel = mel
        self.energy_db = 10 * np.log10(mel.sum(axis=1) + 1e-12)

    @staticmethod
    def of(samples: np.ndarray, sampling_rate: int) -> _Frames | None:
        samples = resample(samples, sampling_rate, RATE)
        loudness = float(np.sqrt(np.mean(np.square(samples)))) if samples.size else 0.0
        if loudness == 0.0:
            return None
        samples = samples * np.float32(ROOT_MEAN_SQUARE / loudness)  # the tracker is a little surer of what is louder
        frequencies, confidence = f0_contour(samples, RATE)
        if len(frequencies) < 2:
            return None
        mel = _mel_power(samples, len(frequencies))
        energy_db = 10 * np.log10(mel.sum(axis=1) + 1e-12)
        active = np.flatnonzero(energy_db > energy_db.max() - ACTIVE_RANGE_DB)
        speech = slice(active[0], active[-1] + 1)
        return _Frames(frequencies[speech], confidence[speech], mel[speech])


def _mel_power(samples: np.ndarray, frames: int) -> np.ndarray:
    """Mel power spectrum [F, BANDS]."""
    import torch
    from torchaudio.functional import melscale_fbanks

    padded = np.pad(samples, (WINDOW // 2, WINDOW))
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::FRAME][:frames]
    power = np.abs(np.fft.rfft(windows * np.hanning(WINDOW), axis=1)) ** 2
    with torch.no_grad():
        banks = melscale_fbanks(WINDOW // 2 + 1, 60.0, RATE / 2, BANDS, RATE).numpy()
    mel: np.ndarray = power @ banks
    return mel


def _shape(contour: np.ndarray) -> np.ndarray:
    """A contour [F] smoothed, at POINTS places, with mean 0 and deviation 1; all zero where it does not move."""
    reach = round(3 * SMOOTHING_FRAMES)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SMOOTHING_FRAMES) ** 2)
    smooth = np.convolve(np.pad(contour, reach, mode="edge"), kernel / kernel.sum(), mode="valid")
    points = np.interp(np.linspace(0, len(smooth) - 1, POINTS), np.arange(len(smooth)), smooth)
    deviation = points.std()
    return (points - points.mean()) / deviation if deviation > 1e-9 else np.zeros(POINTS)
