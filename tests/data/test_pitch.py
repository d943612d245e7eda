"""F0 at the frames of a voice model."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_voices import HOP, RATE

from latent_edit.data.pitch import pitch_of_frames, pitch_of_recordings


def sweep(low: float, high: float, seconds: float) -> tuple[np.ndarray, np.ndarray]:
    """Harmonics on an F0 that rises evenly in octaves: samples and F0, both [N]."""
    pitch = low * (high / low) ** np.linspace(0, 1, round(seconds * RATE))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    return sum(np.sin(k * phase) / k for k in range(1, 12)) * 0.1, pitch


def test_each_frame_has_the_pitch_of_its_middle() -> None:
    """A sweep of an octave a second moves 19 cents in a frame: half a frame of delay would show."""
    samples, pitch = sweep(110, 220, 1.0)
    found = pitch_of_frames(samples, RATE, HOP)
    assert found.dtype == np.float32
    assert found.shape == (samples.size // HOP,)
    middles = pitch[HOP // 2 :: HOP][: found.size]
    inside = slice(4, -4)  # Praat wants whole windows
    cents = 1200 * np.log2(found[inside] / middles[inside])
    assert np.abs(cents).max() < 4


def test_silence_and_noise_are_unvoiced() -> None:
    samples, _ = sweep(110, 220, 1.0)
    samples[RATE // 4 : RATE // 2] = 0
    found = pitch_of_frames(samples, RATE, HOP)
    frames = np.arange(found.size) * HOP / RATE
    assert (found[(frames > 0.29) & (frames < 0.46)] == 0).all()
    assert (found[(frames > 0.55) & (frames < 0.93)] > 0).all()
    assert (pitch_of_frames(np.zeros(RATE), RATE, HOP) == 0).all()


@pytest.mark.parametrize("samples", [0, 10, HOP, 3 * HOP])
def test_what_is_too_short_to_track_is_unvoiced(samples: int) -> None:
    assert pitch_of_frames(np.ones(samples), RATE, HOP).tolist() == [0.0] * (samples // HOP)


def test_recordings_follow_each_other() -> None:
    samples, _ = sweep(110, 220, 0.5)
    found = pitch_of_recordings(iter([samples, samples[: RATE // 4]]), RATE, HOP)
    assert np.array_equal(found[: samples.size // HOP], pitch_of_frames(samples, RATE, HOP))
    assert found.size == samples.size // HOP + RATE // 4 // HOP
    assert pitch_of_recordings([], RATE, HOP).shape == (0,)
