"""Reading clips, resampling, writing 16 bit, loudness."""

from __future__ import annotations

import shutil
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


TELEPHONES = [  # file ending, container, codec, rate
    ("m4a", "ipod", "aac", 44_100),
    ("mp4", "mp4", "aac", 48_000),
    ("mov", "mov", "aac", 44_100),
    ("webm", "webm", "libopus", 48_000),
    ("3gp", "3gp", "aac", 16_000),
    ("amr", "amr", "libopencore_amrnb", 8_000),
    ("aac", "adts", "aac", 44_100),
    ("opus", "ogg", "libopus", 48_000),
    ("mp3", "mp3", "libmp3lame", 44_100),
]


def encoded(path: Path, container: str, codec: str, samples: np.ndarray, rate: int, film: bool = False) -> Path:
    """Samples [N, channels] as a telephone or browser writes them; `film` puts a picture before the sound."""
    av = pytest.importorskip("av")
    with av.open(str(path), "w", format=container) as output:
        picture = output.add_stream("mpeg4", rate=5, width=64, height=64) if film else None
        sound = None
        if samples.size:
            sound = output.add_stream(codec, rate=rate, layout="mono" if samples.shape[1] == 1 else "stereo")
        if picture:
            frames = [av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24") for _ in range(5)]
            output.mux([packet for frame in [*frames, None] for packet in picture.encode(frame)])
        if sound:
            interleaved = np.clip(samples * 32767, -32768, 32767).astype(np.int16).reshape(1, -1)
            frame = av.AudioFrame.from_ndarray(interleaved, format="s16", layout=sound.layout.name)
            frame.sample_rate = rate
            fifo = av.AudioResampler(sound.format.name, sound.layout.name, rate, sound.frame_size or None)
            parts = [*fifo.resample(frame), *fifo.resample(None)]
            output.mux([packet for part in [*parts, None] for packet in sound.encode(part)])
    return path


@pytest.mark.parametrize(("ending", "container", "codec", "rate"), TELEPHONES)
def test_what_telephones_and_browsers_record_is_read(
    tmp_path: Path, ending: str, container: str, codec: str, rate: int
) -> None:
    path = encoded(tmp_path / f"clip.{ending}", container, codec, tone(rate)[:, None], rate)
    shutil.copy(path, tmp_path / "clip")  # a name need not say what a file is
    for name in (path.name, "clip"):
        samples = audio.read_audio(tmp_path / name, RATE)
        assert samples.dtype == np.float32
        assert samples.size == pytest.approx(RATE, abs=0.15 * RATE)  # codecs add up to a few packets
        middle = samples[4000:12_000]
        assert strongest_hertz(middle, RATE) == pytest.approx(440, abs=5)
        assert np.abs(middle).max() == pytest.approx(0.5, rel=0.15)


def test_of_a_film_the_sound_is_read_and_a_silent_film_is_refused(tmp_path: Path) -> None:
    stereo = np.stack([tone(48_000, hertz=300, level=0.4), tone(48_000, hertz=300, level=0.2)], axis=1)
    film = encoded(tmp_path / "film.mov", "mov", "aac", stereo, 48_000, film=True)
    samples = audio.read_audio(film, RATE)
    assert strongest_hertz(samples[4000:12_000], RATE) == pytest.approx(300, abs=5)
    assert np.abs(samples[4000:12_000]).max() == pytest.approx(0.3, rel=0.1)
    mute = encoded(tmp_path / "mute.mp4", "mp4", "aac", np.zeros((0, 1)), 48_000, film=True)
    with pytest.raises(InputError, match=r"mute\.mp4 has no sound"):
        audio.read_audio(mute, RATE)


def test_no_more_than_the_limit_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import av

    path = encoded(tmp_path / "long.m4a", "ipod", "aac", tone(8_000, seconds=20.0)[:, None], 8_000)
    decoded = []
    resampler = av.AudioResampler

    class Counting:
        def __init__(self, **options: str) -> None:
            self.resampler = resampler(**options)

        def resample(self, frame: av.AudioFrame) -> list[av.AudioFrame]:
            decoded.append(frame.samples)
            return self.resampler.resample(frame)

    monkeypatch.setattr(av, "AudioResampler", Counting)
    with pytest.raises(InputError, match="lasts more than 2 seconds"):
        audio.read_audio(path, RATE, max_seconds=2.0)
    assert 2.0 < sum(decoded) / 8_000 < 4.0


def test_damaged_files_text_and_lists_of_other_files_are_refused(tmp_path: Path) -> None:
    whole = encoded(tmp_path / "whole.m4a", "ipod", "aac", tone(16_000)[:, None], 16_000).read_bytes()
    contents = {
        "cut.m4a": whole[: len(whole) // 2],  # what says where the sound lies comes last
        "text.wav": b"Dear all, here is the recording.",
        "text.m4a": b"Dear all, here is the recording.",
        "text.aac": b"Dear all, here is the recording. " * 1000,
        "list.m3u8": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{tmp_path}/whole.m4a\n#EXT-X-ENDLIST\n".encode(),
        "list.ffconcat": f"ffconcat version 1.0\nfile {tmp_path}/whole.m4a\n".encode(),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=f"cannot read .*{name} as audio"):
            audio.read_audio(tmp_path / name, RATE)
    (tmp_path / "empty.m4a").touch()
    with pytest.raises(InputError, match="is empty"):
        audio.read_audio(tmp_path / "empty.m4a", RATE)


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
