"""Audio at the edges: read and validate a clip, resample, write 16-bit WAV, loudness. Inside, audio is mono float32.

libsndfile reads what it knows (WAV, FLAC, OGG, MP3); what telephones and browsers record besides (M4A, MP4, MOV, WebM,
3GP, AMR, AAC, Opus) is read by FFmpeg, through PyAV.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latent_edit.errors import InputError

if TYPE_CHECKING:
    from av.container import InputContainer
    from soundfile import SoundFile

FORMATS = "WAV, FLAC, OGG, MP3, M4A, MP4, MOV, WebM, 3GP, AMR, AAC or Opus"
PLAYED_EVERYWHERE = (".wav", ".mp3", ".flac", ".m4a", ".mp4")  # by every browser, however it was made
# What FFmpeg may take a file for: containers that hold their own sound. Others, such as playlists, name further files.
CONTAINERS = "mov,matroska,webm,ogg,aac,amr,mp3,wav,flac,caf,aiff,asf"
MAX_CLIP_SECONDS = 30.0
MIN_CLIP_SECONDS = 0.1
MIN_SAMPLING_RATE, MAX_SAMPLING_RATE = 4_000, 384_000  # Hz; outside, the header is damaged or it is not speech
SILENCE_PEAK = 1e-4  # -80 dBFS around the mean: below it nothing was recorded
FULL_SCALE = 32767.0  # largest 16-bit sample


def read_audio(path: str | Path, sampling_rate: int, max_seconds: float = MAX_CLIP_SECONDS) -> np.ndarray:
    """Read a file in one of `FORMATS` as mono float32 [N] at `sampling_rate` (Hz); channels are averaged.

    No more than a second past `max_seconds` is decoded. Of a film the first sound track is read. Raises InputError when
    the file is missing, empty, silent, damaged, without sound, has NaN or is longer than `max_seconds`.
    """
    path = Path(path)
    try:
        is_folder, is_there = path.is_dir(), path.exists()
    except PermissionError:
        raise InputError(f"{path} cannot be read: there is no permission to look into its folder") from None
    except OSError:  # a name longer than the system allows
        is_folder = is_there = False
    if is_folder:
        raise InputError(f"{path} is a folder; give an audio file")
    if not is_there:
        raise InputError(f"there is no audio file {path}; check the name")
    samples, rate = _decode(path, max_seconds)
    return resample(_checked_mono(path, samples, rate), rate, sampling_rate)


def _decode(path: Path, max_seconds: float) -> tuple[np.ndarray, int]:
    """The file's own samples [N, channels] float32 and rate; one second more than the limit is enough to refuse it."""
    import soundfile

    try:
        if path.stat().st_size == 0:
            raise InputError(f"the audio file {path} is empty (0 bytes); give a recording")
        with soundfile.SoundFile(path) as file:
            _check_header(path, file, max_seconds)
            samples = file.read(int((max_seconds + 1) * file.samplerate), dtype="float32", always_2d=True)
            rate = int(file.samplerate)
    except (soundfile.LibsndfileError, TypeError):  # it does not know the format; a .raw is a TypeError
        samples, rate = _decode_with_ffmpeg(path, max_seconds)
    except (OSError, RuntimeError) as error:
        raise InputError(_unreadable(path, error)) from error
    if samples.shape[0] > max_seconds * rate:  # the header may have promised less, or nothing
        raise InputError(f"{path} lasts more than {max_seconds:.0f} seconds: cut out the part you want")
    return samples, rate


def _decode_with_ffmpeg(path: Path, max_seconds: float) -> tuple[np.ndarray, int]:
    """`_decode` for what libsndfile does not know. Damaged packets are an error, not a gap."""
    import av

    options = {"format_whitelist": CONTAINERS, "protocol_whitelist": "file"}
    try:
        with av.open(str(path), options=options, metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise InputError(f"{path} has no sound; give a recording, or a film with a sound track")
            return _first_track(container, max_seconds + 1)
    except (av.FFmpegError, OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(_unreadable(path, error)) from error


def _first_track(container: InputContainer, seconds: float) -> tuple[np.ndarray, int]:
    """The first sound track, as far as `seconds`: samples [N, channels] float32, and their rate."""
    import av

    resampler = av.AudioResampler(format="fltp")  # the track's own rate and channels, in one kind of number
    parts: list[np.ndarray] = [np.zeros((1, 0), dtype=np.float32)]
    count, rate = 0, MIN_SAMPLING_RATE
    for frame in container.decode(audio=0):
        rate = frame.sample_rate
        for part in resampler.resample(frame):
            parts.append(part.to_ndarray().astype(np.float32, copy=False))
            count += part.samples
        if count > seconds * rate:
            break
    return np.concatenate(parts if len(parts) == 1 else parts[1:], axis=1).T, rate


def _unreadable(path: Path, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or error
    return f"cannot read {path} as audio: it is damaged or of another kind; give a {FORMATS} file ({reason})"


def _check_header(path: Path, file: SoundFile, max_seconds: float) -> None:
    if not MIN_SAMPLING_RATE <= file.samplerate <= MAX_SAMPLING_RATE:
        raise InputError(
            f"{path} says it has {file.samplerate} samples per second; "
            f"give a clip between {MIN_SAMPLING_RATE} and {MAX_SAMPLING_RATE} Hz"
        )
    if file.frames > max_seconds * file.samplerate:
        raise InputError(_too_long(path, file.frames / file.samplerate, max_seconds))


def _too_long(path: Path, seconds: float, max_seconds: float) -> str:
    return f"{path} lasts {seconds:.0f} seconds; the limit is {max_seconds:.0f}: cut out the part you want"


def _checked_mono(path: Path, samples: np.ndarray, rate: int) -> np.ndarray:
    if samples.shape[0] == 0:
        raise InputError(f"the audio file {path} is empty (no samples); give a recording")
    if not np.isfinite(samples).all():
        raise InputError(f"{path} contains values that are not numbers (NaN or infinity); export the clip again")
    if samples.shape[0] < MIN_CLIP_SECONDS * rate:
        raise InputError(
            f"{path} lasts {samples.shape[0] / rate:.3f} seconds; give a clip of at least {MIN_CLIP_SECONDS} seconds"
        )
    mono = samples.mean(axis=1, dtype=np.float32)
    if np.abs(mono - mono.mean()).max() < SILENCE_PEAK:
        raise InputError(f"{path} is silent; give a clip in which somebody can be heard")
    return mono


def resample(samples: np.ndarray, from_rate: int, to_rate: int) -> np.ndarray:
    """Band-limited resampling (soxr, high quality) of float32 [N] from one rate to another, in Hz."""
    if from_rate == to_rate:
        return np.ascontiguousarray(samples, dtype=np.float32)
    import soxr

    return soxr.resample(np.asarray(samples, dtype=np.float32), from_rate, to_rate, quality="HQ").astype(np.float32)


def shared_gain(*arrays: np.ndarray) -> float:
    """The one gain, at most 1, under which none of the arrays exceeds full scale."""
    peak = max((float(np.abs(samples).max()) for samples in arrays if samples.size), default=0.0)
    return 1.0 / peak if peak > 1.0 else 1.0


def write_wav(path: str | Path, samples: np.ndarray, rate: int, gain: float = 1.0) -> None:
    """Write float [N] as 16-bit PCM WAV; `gain` comes from `shared_gain`. Raises InputError if it cannot be written."""
    scaled = np.asarray(samples, dtype=np.float64) * gain * FULL_SCALE
    integers = np.clip(np.rint(scaled), -FULL_SCALE, FULL_SCALE).astype(np.int16)
    _write(path, integers, rate, "PCM_16")


def write_float_wav(path: str | Path, samples: np.ndarray, rate: int) -> None:
    """Write float32 [N] as it is, so that `read_audio` at the same rate gives it back bit for bit.

    Not by soundfile, which puts the time of writing into such files: the same sound is to be the same file.
    """
    from scipy.io import wavfile

    with _writing(path):
        wavfile.write(path, rate, np.asarray(samples, dtype=np.float32))


def write_mp3(path: str | Path, samples: np.ndarray, rate: int, gain: float = 1.0) -> None:
    """Write float [N] as MP3, to be listened to: a quarter of the size, and not exact."""
    _write(path, np.clip(np.asarray(samples, dtype=np.float32) * gain, -1.0, 1.0), rate, "MPEG_LAYER_III", "MP3")


def _write(path: str | Path, samples: np.ndarray, rate: int, subtype: str, kind: str = "WAV") -> None:
    import soundfile

    with _writing(path):
        soundfile.write(path, samples, rate, subtype=subtype, format=kind)


@contextmanager
def _writing(path: str | Path) -> Iterator[None]:
    """Raises InputError when a file cannot be written."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        raise InputError(f"cannot write {path}; choose a folder you may write to ({error})") from error


def loudness_lufs(samples: np.ndarray, rate: int) -> float | None:
    """Integrated loudness (ITU-R BS.1770, LUFS) of mono float [N]; None below 0.4 seconds or when nothing is heard."""
    import pyloudnorm

    meter = pyloudnorm.Meter(rate)
    if samples.shape[0] <= meter.block_size * rate:
        return None
    loudness = float(meter.integrated_loudness(np.asarray(samples, dtype=np.float64)))
    return loudness if np.isfinite(loudness) else None
