"""F0 of recordings at the frames of a voice model: what its decoder's pulses are taught."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from latent_edit.data.world import SILENCE_THRESHOLD, VOICING_THRESHOLD
from latent_edit.measures import track_pitch


def pitch_of_frames(samples: np.ndarray, sampling_rate: int, hop_length: int) -> np.ndarray:
    """F0 in Hz at the middle of every whole frame of mono audio [N], zero where unvoiced: float32 [N // hop_length]."""
    step = hop_length / sampling_rate
    middles = (np.arange(samples.size // hop_length) + 0.5) * step
    track = track_pitch(samples, sampling_rate, step, VOICING_THRESHOLD, SILENCE_THRESHOLD)
    voiced = track.frequencies > 0
    if not voiced.any():
        return np.zeros(middles.size, np.float32)
    nearest = np.clip(np.round((middles - track.times[0]) / step).astype(int), 0, voiced.size - 1)
    # Between two voiced frames F0 is drawn in octaves; where the nearest is unvoiced, so is the frame.
    octaves = np.interp(middles, track.times[voiced], np.log2(track.frequencies[voiced]))
    return np.where(voiced[nearest], np.exp2(octaves), 0.0).astype(np.float32)


def pitch_of_recordings(recordings: Iterable[np.ndarray], sampling_rate: int, hop_length: int) -> np.ndarray:
    """`pitch_of_frames` of each, one after the other: float32 [frames of all]. A hundredth of real time."""
    found = [pitch_of_frames(samples, sampling_rate, hop_length) for samples in recordings]
    return np.concatenate([np.zeros(0, np.float32), *found])
