"""What `measures` says about sounds whose properties are known because they were made that way."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from synthetic_speech import speech_like

from latent_edit.measures import Measurements, contours, measure

RATE = 16_000


def tone(frequency: float, seconds: float = 1.0, amplitude: float = 0.5, rate: int = RATE) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)


@pytest.mark.parametrize("pitch", [90.0, 140.0, 260.0])
def test_pitch_is_the_median(pitch):
    measured = measure(speech_like(4.0, pitch=pitch), RATE)
    assert measured.pitch_hz == pytest.approx(pitch, rel=0.05)
    assert measured.pitch_range_semitones == pytest.approx(5.7, abs=1.0)  # 10th to 90th percentile of a 6 semitone sine


def test_strong_harmonics_do_not_double_or_halve_the_pitch():
    time = np.arange(2 * RATE) / RATE
    weak_fundamental = sum(
        gain * np.cos(2 * np.pi * 120 * k * time) for k, gain in ((1, 0.1), (2, 1.0), (3, 0.3), (4, 0.8))
    )
    assert measure(0.1 * weak_fundamental, RATE).pitch_hz == pytest.approx(120, rel=0.01)


def test_level_is_that_of_speech_without_pauses():
    assert measure(tone(200), RATE).level_db == pytest.approx(20 * np.log10(0.5) - 3.01, abs=0.1)
    sound = speech_like(2.0)
    padded = np.concatenate([np.zeros(RATE, dtype=np.float32), sound, np.zeros(2 * RATE, dtype=np.float32)])
    assert measure(padded, RATE).level_db == pytest.approx(measure(sound, RATE).level_db, abs=0.3)
    assert measure(10 * sound, RATE).level_db == pytest.approx(measure(sound, RATE).level_db + 20, abs=0.01)


@pytest.mark.parametrize("ratio_db", [-20.0, -6.0, 3.0])
def test_tilt_is_the_energy_ratio_around_1_khz(ratio_db):
    sound = tone(300) + tone(3000) * 10 ** (ratio_db / 20)
    assert measure(sound, RATE).tilt_db == pytest.approx(ratio_db, abs=0.2)


def test_voicing_of_a_voice_and_of_a_whisper():
    voice, whisper = measure(speech_like(3.0), RATE), measure(speech_like(3.0, voiced=False), RATE)
    assert voice.voiced_share > 0.6
    assert voice.harmonicity_db > 12
    assert whisper.voiced_share < 0.06
    assert (
        whisper.pitch_hz is whisper.pitch_range_semitones is whisper.harmonicity_db is whisper.tremor_semitones is None
    )
    assert whisper.level_db is not None


@pytest.mark.parametrize("depth", [0.6, 1.2, 2.0])
def test_tremor_depth(depth):
    assert measure(speech_like(4.0, tremor=depth), RATE).tremor_semitones == pytest.approx(depth, rel=0.25)


def test_a_still_voice_has_no_tremor():
    assert measure(speech_like(4.0), RATE).tremor_semitones < 0.15


def test_pace_needs_a_phoneme_count():
    sound = speech_like(2.0)
    assert measure(sound, RATE, phonemes=24).pace_phonemes_per_second == pytest.approx(12.0)
    assert measure(sound, RATE).pace_phonemes_per_second is None
    assert measure(sound, RATE).duration_seconds == pytest.approx(2.0)


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000])
def test_the_sampling_rate_does_not_matter(rate):
    here, there = measure(speech_like(2.0), RATE), measure(speech_like(2.0, rate=rate), rate)
    assert there.pitch_hz == pytest.approx(here.pitch_hz, rel=0.02)
    assert there.voiced_share == pytest.approx(here.voiced_share, abs=0.06)
    assert there.pitch_range_semitones == pytest.approx(here.pitch_range_semitones, abs=0.5)


@pytest.mark.parametrize("samples", [0, 1, 2, 80, 399, 400, 401, 800, 1_700])
@pytest.mark.parametrize("amplitude", [0.0, 0.1])
def test_short_audio_never_raises(samples, amplitude):
    measured = measure(amplitude * np.random.default_rng(0).standard_normal(samples), RATE)
    assert measured.pitch_hz is None
    assert (measured.duration_seconds is None) == (samples == 0)


def test_silence_is_not_measured():
    measured = measure(np.zeros(RATE), RATE, phonemes=10)
    assert measured == Measurements(duration_seconds=1.0, pace_phonemes_per_second=10.0)
    assert measure(np.full(RATE, np.nan), RATE) == Measurements(duration_seconds=1.0)


def test_measurements_are_plain_floats():
    for value in dataclasses.asdict(measure(speech_like(1.5), RATE, phonemes=9)).values():
        assert type(value) is float and np.isfinite(value)


def test_contours_are_what_the_measurements_sum_up() -> None:
    samples = speech_like(3.0, pitch=150.0)
    measured, lines = measure(samples, 16_000), contours(samples, 16_000)
    assert lines.level_seconds[-1] == pytest.approx(3.0, abs=0.02)
    assert np.diff(lines.pitch_seconds) == pytest.approx(0.01)
    assert np.nanmedian(lines.pitch_hz) == pytest.approx(measured.pitch_hz, rel=0.01)
    assert 10 * np.log10(np.nanmean(10 ** (lines.level_db / 10))) == pytest.approx(measured.level_db, abs=0.1)
    assert np.isnan(lines.pitch_hz[np.abs(lines.pitch_seconds - 1.5) < 0.1]).all()  # the pause
    assert np.isnan(lines.level_db[np.abs(lines.level_seconds - 1.5) < 0.1]).all()


@pytest.mark.parametrize("samples", [np.zeros(0), np.zeros(8000), np.ones(10)])
def test_contours_of_nothing_are_empty(samples: np.ndarray) -> None:
    assert np.isnan(contours(samples, 16_000).pitch_hz).all()
