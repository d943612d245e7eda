"""Reading clips, resampling, writing 16 bit, loudness."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from latent_edit import audio
from latent_edit.errors import InputError

RATE = 16_000


def tone(rate: int, seconds: float = 1.0, hertz: float = 440.0, level: float = 0.5) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)).astype(np.float32)


def strongest_hertz(samples: np.ndarray, rate: int) -> float:
    return float(np.argmax(np.abs(np.fft.rfft(samples * np.hanning(samples.size)))) * rate / samples.size)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 96_000])
@pytest.mark.parametrize(("form", "subtype"), [("WAV", "PCM_16"), ("WAV", "FLOAT"), ("FLAC", "PCM_24")])
def test_any_rate_and_format_keeps_pitch_length_and_level(tmp_path: Path, rate: int, form: str, subtype: str) -> None:
    path = tmp_path / "clip"
    soundfile.write(path, tone(rate), rate, format=form, subtype=subtype)
    samples = audio.read_audio(path, RATE)
    assert samples.dtype == np.float32
    assert samples.ndim == 1
    assert abs(samples.size - RATE) <= 2
    assert strongest_hertz(samples, RATE) == pytest.approx(440, abs=1)
    assert np.abs(samples[1000:-1000]).max() == pytest.approx(0.5, abs=0.01)


def test_a_name_that_says_nothing_of_the_format_and_one_that_is_no_name(tmp_path: Path) -> None:
    (tmp_path / "clip.raw").write_bytes(bytes(1000))
    with pytest.raises(InputError, match=r"cannot read .*clip\.raw as audio"):
        audio.read_audio(tmp_path / "clip.raw", RATE)
    with pytest.raises(InputError, match="there is no audio file"):
        audio.read_audio(tmp_path / ("a" * 300 + ".wav"), RATE)


def test_stereo_is_averaged(tmp_path: Path) -> None:
    left, right = tone(RATE, hertz=300, level=0.6), tone(RATE, hertz=700, level=0.2)
    soundfile.write(tmp_path / "clip.wav", np.stack([left, right], axis=1), RATE, subtype="FLOAT")
    np.testing.assert_allclose(audio.read_audio(tmp_path / "clip.wav", RATE), (left + right) / 2, atol=1e-6)


def test_the_limit_of_length_is_allowed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", tone(8_000, seconds=2.0), 8_000)
    assert audio.read_audio(tmp_path / "clip.wav", RATE, max_seconds=2.0).size == 2 * RATE
    with pytest.raises(InputError, match="lasts 2 seconds; the limit is 1"):
        audio.read_audio(tmp_path / "clip.wav", RATE, max_seconds=1.0)


def test_resampling_removes_what_the_new_rate_cannot_hold() -> None:
    low = audio.resample(tone(48_000, hertz=7_000), 48_000, 8_000)
    assert np.abs(low[500:-500]).max() < 1e-3
    same = tone(RATE)
    np.testing.assert_array_equal(audio.resample(same, RATE, RATE), same)


def test_shared_gain_fits_all_and_only_turns_down() -> None:
    quiet, loud = np.array([0.5, -0.2]), np.array([1.0, -2.5])
    assert audio.shared_gain(quiet) == 1.0
    assert audio.shared_gain(quiet, loud) == pytest.approx(0.4)
    assert audio.shared_gain(np.zeros(0), np.zeros(3)) == 1.0
    assert audio.shared_gain() == 1.0


def test_written_wav_is_16_bit_with_the_gain(tmp_path: Path) -> None:
    samples = np.array([0.0, 0.25, -0.5, 2.0, -2.0], dtype=np.float32)
    audio.write_wav(tmp_path / "a.wav", samples, RATE, gain=0.5)
    stored, rate = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert (rate, soundfile.info(tmp_path / "a.wav").subtype) == (RATE, "PCM_16")
    assert stored.tolist() == [0, 4096, -8192, 32767, -32767]


def test_without_a_gain_too_loud_samples_clip_and_do_not_wrap(tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "a.wav", np.array([1.5, -1.5], dtype=np.float32), RATE)
    assert soundfile.read(tmp_path / "a.wav", dtype="int16")[0].tolist() == [32767, -32767]


def test_float_wav_comes_back_bit_for_bit(tmp_path: Path) -> None:
    samples = np.random.default_rng(0).normal(size=RATE).astype(np.float32)
    audio.write_float_wav(tmp_path / "a.wav", samples, RATE)
    np.testing.assert_array_equal(audio.read_audio(tmp_path / "a.wav", RATE), samples)
    assert b"PEAK" not in (tmp_path / "a.wav").read_bytes()[:100]  # a chunk that holds the time of writing


def test_a_wav_that_cannot_be_written_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        audio.write_wav(tmp_path / "nowhere" / "a.wav", tone(RATE), RATE)
    with pytest.raises(InputError, match="cannot write"):
        audio.write_float_wav(tmp_path / "nowhere" / "a.wav", tone(RATE), RATE)


def test_loudness_of_the_reference_signal() -> None:
    """EBU Tech 3341, case 1 in mono: a 1 kHz sine at -23 dBFS (peak) in one channel measures -26 LUFS."""
    sine = tone(48_000, seconds=5.0, hertz=1_000, level=10 ** (-23 / 20))
    loudness = audio.loudness_lufs(sine, 48_000)
    assert loudness == pytest.approx(-26.0, abs=0.1)
    assert audio.loudness_lufs(2 * sine, 48_000) == pytest.approx(loudness + 6.02, abs=0.05)


def test_loudness_that_cannot_be_measured_is_none() -> None:
    assert audio.loudness_lufs(tone(RATE, seconds=0.3), RATE) is None
    assert audio.loudness_lufs(np.zeros(RATE, dtype=np.float32), RATE) is None
