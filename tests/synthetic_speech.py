"""Speech-like sound made on the spot, for tests of what is measured and changed in speech."""

from __future__ import annotations

import numpy as np

SYLLABLE_SECONDS, GAP_SECONDS, PAUSE_SECONDS = 0.34, 0.08, 0.3
VOWELS = ((700.0, 1220.0, 2600.0), (300.0, 2200.0, 2900.0), (450.0, 900.0, 2400.0))  # formants in Hz
FORMANT_WIDTHS, FORMANT_GAINS = (90.0, 130.0, 200.0), (1.0, 0.5, 0.25)


def speech_like(
    seconds: float = 4.0, rate: int = 16_000, pitch: float = 140.0, tremor: float = 0.0, voiced: bool = True
) -> np.ndarray:
    """Vowels that glide in pitch (6 semitones peak to peak), noise bursts between them, one pause; float32 [N].

    pitch: Hz. tremor: zero-to-peak F0 modulation at 6 Hz in semitones. voiced: False turns each harmonic into noise.
    """
    generator = np.random.default_rng(7)
    time = np.arange(round(seconds * rate)) / rate
    semitones = 3 * np.sin(2 * np.pi * 0.5 * time) + tremor * np.sin(2 * np.pi * 6 * time)
    frequencies = pitch * 2 ** (semitones / 12)
    phase = 2 * np.pi * np.cumsum(frequencies) / rate
    position = time % (SYLLABLE_SECONDS + GAP_SECONDS)
    speaking = np.abs(time - seconds / 2) > PAUSE_SECONDS / 2
    loudness = np.clip(np.minimum(position, SYLLABLE_SECONDS - position) / 0.03, 0, 1) * speaking
    vowel = (time // (SYLLABLE_SECONDS + GAP_SECONDS)).astype(int) % len(VOWELS)
    sound = np.zeros_like(time)
    for harmonic in range(1, int(min(7000.0, 0.45 * rate) / pitch)):
        gains = np.choose(vowel, [_vowel_gain(harmonic * frequencies, formants) for formants in VOWELS])
        sound += gains * (np.cos(harmonic * phase) if voiced else _noise_band(harmonic * pitch, pitch, time.size, rate))
    burst = np.diff(generator.standard_normal(time.size + 1)) * (position > SYLLABLE_SECONDS) * speaking
    sound = 0.2 * sound * loudness + 0.01 * burst + 1e-5 * generator.standard_normal(time.size)
    return (0.25 * sound / np.abs(sound).max()).astype(np.float32)


def _vowel_gain(frequencies: np.ndarray, formants: tuple[float, ...]) -> np.ndarray:
    peaks = zip(formants, FORMANT_WIDTHS, FORMANT_GAINS, strict=True)
    return sum(gain / (1 + ((frequencies - centre) / width) ** 2) for centre, width, gain in peaks) + 0.01


def _noise_band(centre: float, width: float, size: int, rate: int) -> np.ndarray:
    """Noise around one frequency: what a harmonic becomes in a whisper."""
    generator = np.random.default_rng(round(centre))
    spectrum = np.fft.rfft(generator.standard_normal(size))
    spectrum[np.abs(np.fft.rfftfreq(size, 1 / rate) - centre) > width / 2] = 0
    band = np.fft.irfft(spectrum, size)
    return band / np.sqrt(2 * np.mean(band**2))
