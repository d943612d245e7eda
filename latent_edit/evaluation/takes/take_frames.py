"""A clip frame by frame, and how far it is from another take of the same words whose frames correspond."""

from __future__ import annotations

import numpy as np

from latent_edit.judges import VOICED_CONFIDENCE, f0_contour

HOP, FFT_SIZE = 256, 1024  # samples at 16 kHz; SwiftF0 has the same hop, and so does the embedded voice
MEL_BANDS = 24
FLOOR = 1e-5  # of an amplitude, before its logarithm
ACTIVE_NEPERS = 4.0  # below the loud frames; what is softer is a pause
SLOW_FRAMES = 8.0  # standard deviation of the Gaussian over F0, 128 ms: what is left is phrase and accents
LEAST_VOICED = 20  # frames that both takes have to voice, about a third of a second


def frames(samples: np.ndarray, sampling_rate: int) -> np.ndarray:
    """F0 in semitones, 0 where unvoiced, and natural logarithms of mel amplitudes, every 16 ms: [F, 1 + 24]."""
    import torch
    from torchaudio.transforms import MelSpectrogram

    frequencies, confidence = f0_contour(samples, sampling_rate)
    transform = MelSpectrogram(sampling_rate, FFT_SIZE, hop_length=HOP, n_mels=MEL_BANDS, power=1.0)
    mel = transform(torch.from_numpy(np.ascontiguousarray(samples))).numpy().T
    count = min(len(frequencies), len(mel))
    semitones = np.where(confidence >= VOICED_CONFIDENCE, 12 * np.log2(np.maximum(frequencies, 1.0)), 0.0)
    return np.column_stack([semitones[:count], np.log(np.maximum(mel[:count], FLOOR))])


def distances(found: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
    """How far `found` [F, 25] is from `wanted` [F, 25], by name; what cannot be measured is absent.

    f0_shape, energy_shape: correlations of F0 where both are voiced, and of log energy where `wanted` is speech.
    f0_slow_shape: the first of smoothed contours, since a contour that only lacks detail correlates better with any.
    f0_median, f0_range: absolute differences in semitones, the range from the 10th to the 90th percentile. log_mel:
    mean absolute difference in nepers over speech.
    """
    pitch = [values[:, 0] for values in (found, wanted)]
    energy = [np.log(np.exp(2 * values[:, 1:]).sum(axis=1)) for values in (found, wanted)]
    active = energy[1] > np.percentile(energy[1], 95) - 2 * ACTIVE_NEPERS
    result = {
        "energy_shape": _correlation(energy[0][active], energy[1][active]),
        "log_mel": float(np.abs(found[active, 1:] - wanted[active, 1:]).mean()),
    }
    both = (pitch[0] > 0) & (pitch[1] > 0)
    if both.sum() >= LEAST_VOICED:
        low, middle, high = np.percentile([values[both] for values in pitch], [10, 50, 90], axis=1)
        result["f0_shape"] = _correlation(pitch[0][both], pitch[1][both])
        slow = [_smoothed(values)[both] for values in pitch]
        result["f0_slow_shape"] = _correlation(slow[0], slow[1])
        result["f0_median"] = float(abs(np.diff(middle)[0]))
        result["f0_range"] = float(abs(np.diff(high - low)[0]))
    return result


def _smoothed(pitch: np.ndarray) -> np.ndarray:
    """F0 [F], drawn through what is unvoiced, without what is faster than `SLOW_FRAMES`."""
    voiced, reach = np.flatnonzero(pitch > 0), round(3 * SLOW_FRAMES)
    drawn = np.interp(np.arange(len(pitch)), voiced, pitch[voiced])
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / SLOW_FRAMES) ** 2)
    smooth: np.ndarray = np.convolve(np.pad(drawn, reach, mode="edge"), kernel / kernel.sum(), mode="valid")
    return smooth


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Of two contours; 0 where one of them does not move."""
    if min(one.std(), other.std()) < 1e-9:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
