"""Noise taken out of a recording before it is encoded: a posterior encoder trained on clean speech hears it as voice.

The log-spectral amplitude estimator of Ephraim & Malah (1985, IEEE ASSP 33(2), equations 20 and 51 of the decision-
directed a-priori ratio of 1984), over a noise that does not change: its power at each frequency is a low quantile over
time (Stahl, Fischer & Bippus 2000, ICASSP, "Quantile based noise estimation for spectral subtraction").
"""

from __future__ import annotations

import numpy as np

WINDOW_SECONDS, HOPS = 0.032, 4
QUANTILE, QUANTILE_BIAS = 0.15, 1.6  # of the running mean over 9 frames; the bias is what white noise has
SMOOTHED_FRAMES = 9
DECISION = 0.98  # share of the frame before in the a-priori ratio
LEAST_RATIO = 10 ** (-25 / 10)  # a priori; what is below it would be heard as musical noise
LEAST_GAIN = 10 ** (-18 / 20)


def denoised(samples: np.ndarray, sampling_rate: int) -> np.ndarray:
    """Mono float32 [N] with what is steady in it turned down by up to 18 dB; the same length."""
    from scipy import signal

    size = 2 * round(WINDOW_SECONDS * sampling_rate / 2)
    options = {"fs": sampling_rate, "window": "hann", "nperseg": size, "noverlap": size - size // HOPS}
    spectrum = signal.stft(samples.astype(np.float64), **options)[2]
    gains = _gains(np.abs(spectrum) ** 2)
    cleaned: np.ndarray = signal.istft(spectrum * gains, **options)[1]
    return cleaned[: samples.size].astype(np.float32)


def _gains(powers: np.ndarray) -> np.ndarray:
    """Gain of every bin from the powers [bins, F]."""
    from scipy.ndimage import uniform_filter1d
    from scipy.special import exp1

    noise = QUANTILE_BIAS * np.quantile(uniform_filter1d(powers, SMOOTHED_FRAMES, axis=1), QUANTILE, axis=1)
    posterior = np.minimum(powers / (noise[:, None] + 1e-14), 1e4)
    gains, before = np.ones_like(posterior), np.maximum(posterior[:, 0] - 1, 0)
    for frame, ratio in enumerate(posterior.T):
        prior = np.maximum(DECISION * before + (1 - DECISION) * np.maximum(ratio - 1, 0), LEAST_RATIO)
        wiener = prior / (1 + prior)
        gain = wiener * np.exp(0.5 * exp1(np.maximum(wiener * ratio, 1e-6)))
        gains[:, frame] = np.clip(gain, LEAST_GAIN, 1.0)
        before = gains[:, frame] ** 2 * ratio
    return gains
