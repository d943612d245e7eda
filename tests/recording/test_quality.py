"""Speech told from noise, hum, tones and music; the noise under speech measured."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_speech import speech_like

from latent_edit.recording import denoised, quality

RATE, SECONDS = 16_000, 3.0
COUNT = round(RATE * SECONDS)
TIME = np.arange(COUNT) / RATE


def noise(seed: int = 0, tilt: float = 0.0) -> np.ndarray:
    """Unit power; tilt 1 is pink, 2 brown."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(COUNT))
    spectrum /= np.maximum(np.fft.rfftfreq(COUNT, 1 / RATE), 30.0) ** (tilt / 2)
    samples = np.fft.irfft(spectrum, COUNT)
    return samples / samples.std()


def melody(seed: int, chord: tuple[float, ...]) -> np.ndarray:
    """Notes of a quarter of a second with six harmonics, in chords, that die away."""
    generator, samples = np.random.default_rng(seed), np.zeros(COUNT)
    for start in np.arange(0.0, SECONDS, 0.25):
        root = 220 * 2 ** (generator.choice([0, 2, 4, 7, 9]) / 12)
        since = TIME - start
        loud = np.where(since >= 0, np.exp(-4 * np.maximum(since, 0)), 0.0)
        samples += loud * sum(np.sin(2 * np.pi * root * m * h * since) / h for m in chord for h in range(1, 7))
    return samples


def keyboard() -> np.ndarray:
    """Clicks in a quiet room."""
    generator, samples = np.random.default_rng(3), 1e-3 * noise(4)
    for start in generator.integers(0, COUNT - 400, 20):
        samples[start : start + 400] += generator.standard_normal(400) * np.exp(-np.arange(400) / 60)
    return samples


NOT_SPEECH = {
    "white": noise(),
    "pink": noise(tilt=1.0),
    "brown": noise(tilt=2.0),
    "a fan that beats": noise() * (0.5 + 0.5 * np.sin(2 * np.pi * 4 * TIME)),
    "surf": noise(tilt=1.0) * (0.6 + 0.4 * np.sin(2 * np.pi * 0.3 * TIME)),
    "hum": sum(np.sin(2 * np.pi * 50 * k * TIME) / k for k in range(1, 9)) + 0.01 * noise(),
    "a tone": np.sin(2 * np.pi * 440 * TIME),
    "beeps": np.sin(2 * np.pi * 500 * TIME) * (TIME % 0.5 < 0.2) + 1e-4 * noise(),
    "a melody": melody(1, (1.0,)),
    "chords": melody(2, (1.0, 1.26, 1.5)),
    "keyboard": keyboard(),
}


@pytest.mark.parametrize("name", NOT_SPEECH)
def test_noise_and_music_are_not_speech(name: str) -> None:
    assert not quality(NOT_SPEECH[name], RATE).is_speech


@pytest.mark.parametrize("gain", [0.0003, 1.0])
@pytest.mark.parametrize("seconds", [1.0, SECONDS, 8.0])
def test_speech_is_speech_however_loud(gain: float, seconds: float) -> None:
    measured = quality(gain * speech_like(seconds), RATE)
    assert measured.is_speech
    assert measured.notes == ()


def test_a_whisper_is_speech() -> None:
    measured = quality(speech_like(SECONDS, voiced=False), RATE)
    assert measured.glide is None
    assert measured.is_speech


def mixture(snr_db: float, sound: np.ndarray) -> np.ndarray:
    speech = speech_like(SECONDS)
    return speech + sound * speech.std() / sound.std() * 10 ** (-snr_db / 20)


@pytest.mark.parametrize("snr_db", [5.0, 10.0, 15.0, 25.0])
@pytest.mark.parametrize("tilt", [0.0, 1.0])
def test_the_noise_under_speech_is_measured(snr_db: float, tilt: float) -> None:
    measured = quality(mixture(snr_db, noise(tilt=tilt)), RATE)
    assert measured.is_speech
    assert measured.snr_db == pytest.approx(snr_db, abs=4.0)


def test_louder_noise_is_said_to_cost_more() -> None:
    notes = [quality(mixture(snr_db, noise()), RATE).notes for snr_db in (30.0, 16.0, 5.0)]
    assert [len(each) for each in notes] == [0, 1, 1]
    assert notes[1] != notes[2]


@pytest.mark.parametrize("tilt", [0.0, 1.0])
def test_steady_noise_is_turned_down_and_speech_is_not(tilt: float) -> None:
    speech, noisy = speech_like(SECONDS), mixture(10.0, noise(tilt=tilt))
    cleaned = denoised(noisy.astype(np.float32), RATE)
    assert cleaned.shape == noisy.shape
    assert cleaned.dtype == np.float32
    before, after = ((x - speech).std() for x in (noisy, cleaned))
    assert after < 0.65 * before
    assert np.corrcoef(cleaned, speech)[0, 1] > 0.97


def test_silence_and_very_short_clips_measure_without_an_error() -> None:
    for samples in (np.zeros(RATE), speech_like(0.1), np.ones(200)):
        assert np.isfinite(quality(samples, RATE).snr_db)
