"""Clips of a study on disk, at which level they are played, and as the unique bytes that one participant receives."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from latent_edit import audio
from latent_edit.config import StrictModel
from latent_edit.errors import InputError
from latent_edit.files import write_text
from latent_edit.listening.study import Study

FOLDER, TABLE_NAME = "clips", "clips.json"
MOST_SECONDS = 60.0
HEADROOM = 0.99  # matched clips peak below this
TONE_HZ, TONE_SECONDS, GAP_SECONDS, RAMP_SECONDS, TONE_PEAK = 200.0, 1.0, 0.5, 0.1, 0.2
QUIETER_DB, TONE_RATE = -6.0, 44_100
LONGEST_TAIL_SECONDS = 0.08


class Clip(StrictModel):
    """A rendered clip: its file in the folder of clips is named by its content.

    gain_db: what the rendered samples were multiplied by, None of silence. lufs: integrated loudness as played, None
    below 0.4 s. made: what it was rendered from.
    """

    item: str
    condition: str
    sha256: str
    rate: int
    seconds: float
    gain_db: float
    lufs: float | None
    made: dict[str, Any]


Clips = Mapping[tuple[str, str], Clip]


def level(study: Study, sounds: Mapping[tuple[str, str], tuple[np.ndarray, int]]) -> dict[tuple[str, str], float]:
    """Linear gain of every clip, so that 16 bits hold it.

    Raw: one gain for all. Matched: each to the loudness of the study (ITU-R BS.1770); where a peak would leave full
    scale, all clips of the study are turned down together, so that they stay matched.
    """
    if study.levels == "raw":
        common = audio.shared_gain(*(samples for samples, _ in sounds.values()))
        return dict.fromkeys(sounds, common)
    gains: dict[tuple[str, str], float] = {}
    for key, (samples, rate) in sounds.items():
        loudness = audio.loudness_lufs(samples, rate)
        if loudness is None:
            raise InputError(f"item {key[0]} under {key[1]} is too short or too quiet to match levels; use levels: raw")
        gains[key] = 10 ** ((study.loudness_lufs - loudness) / 20)
    peak = max(gains[key] * float(np.abs(samples).max()) for key, (samples, _) in sounds.items())
    return {key: gain * min(1.0, HEADROOM / peak) for key, gain in gains.items()}


def write_clips(
    folder: Path,
    study: Study,
    sounds: Mapping[tuple[str, str], tuple[np.ndarray, int]],
    made: Mapping[tuple[str, str], dict[str, Any]],
) -> list[Clip]:
    """Write 16-bit WAV files named by their content and the table clips.json; the whole study is written or nothing."""
    gains = level(study, sounds)
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    clips = []
    for (item, condition), (samples, rate) in sorted(sounds.items()):
        gain = gains[item, condition]
        partial = folder / FOLDER / f".{os.getpid()}.wav"
        audio.write_wav(partial, samples, rate, gain)
        digest = hashlib.sha256(partial.read_bytes()).hexdigest()
        partial.replace(folder / FOLDER / f"{digest}.wav")
        clips.append(
            Clip(
                item=item,
                condition=condition,
                sha256=digest,
                rate=rate,
                seconds=round(len(samples) / rate, 3),
                gain_db=round(20 * np.log10(gain), 3),
                lufs=_rounded(audio.loudness_lufs(np.asarray(samples) * gain, rate)),
                made=made.get((item, condition), {}),
            )
        )
    table = {"config_hash": study.config_hash, "clips": [clip.model_dump() for clip in clips]}
    write_text(folder / TABLE_NAME, json.dumps(table, indent=1) + "\n")
    return clips


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def load_clips(folder: Path, study: Study) -> dict[tuple[str, str], Clip]:
    """The table of clips. Raises InputError when one that the study needs was not rendered or is gone."""
    try:
        table = json.loads((folder / TABLE_NAME).read_text(encoding="utf-8"))
        clips = [Clip.model_validate(entry) for entry in table["clips"]]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{folder} has no rendered clips; run `listening render {folder}` ({error})") from None
    found = {(clip.item, clip.condition): clip for clip in clips}
    for item, condition in sorted(study.heard()):
        clip = found.get((item, condition))
        if clip is None or not (folder / FOLDER / f"{clip.sha256}.wav").is_file():
            raise InputError(f"item {item} under {condition} is not rendered; run `listening render {folder}` again")
    return found


@lru_cache(maxsize=256)
def _read(path: Path) -> tuple[np.ndarray, int]:
    """16-bit samples [N] and the rate of a rendered clip; files are named by content, so that they never change."""
    from scipy.io import wavfile

    rate, samples = wavfile.read(path)
    return samples, int(rate)


def unique_bytes(folder: Path, clips: list[Clip], slot: int, seed: bytes) -> bytes:
    """The WAV of one slot of a trial as its participant receives it: a file that exists nowhere else.

    The last bit of every sample is drawn anew (below -90 dBFS), and all clips of a trial become equally long by silence
    at the end, so that neither bytes nor sizes say which two are the same. `seed` is known to the server alone; equal
    seeds give equal bytes, so that a reload changes nothing.
    """
    sounds = [_read(folder / FOLDER / f"{clip.sha256}.wav") for clip in clips]
    rate = sounds[slot][1]
    draw = np.random.default_rng(list(seed))
    tail = int.from_bytes(hashlib.sha256(seed).digest()[:4], "big") / 2**32 if len(clips) == 1 else 1.0
    longest = max(len(samples) / own for samples, own in sounds) + tail * LONGEST_TAIL_SECONDS
    samples = np.zeros(round(longest * rate), np.int16)
    samples[: len(sounds[slot][0])] = sounds[slot][0]
    dithered = np.clip(samples.astype(np.int32) + draw.integers(-1, 2, len(samples)), -32767, 32767)
    return _wav(dithered.astype(np.int16), rate)


def headphone_bytes(quietest: int, seed: bytes) -> bytes:
    """Three tones of 200 Hz in stereo: one is 6 dB quieter, another in antiphase between the ears.

    Over headphones the quieter one is heard as the quietest; over loudspeakers the antiphase one cancels out (Woods et
    al. 2017, Attention, Perception & Psychophysics 79, experiment 1).
    """
    draw = np.random.default_rng(list(seed))
    others = [place for place in range(3) if place != quietest]
    antiphase = others[int(draw.integers(2))]
    time = np.arange(round(TONE_SECONDS * TONE_RATE)) / TONE_RATE
    ramp = np.clip(np.minimum(time, TONE_SECONDS - time) / RAMP_SECONDS, 0, 1)
    tone = TONE_PEAK * np.sin(2 * np.pi * TONE_HZ * time) * np.sin(np.pi / 2 * ramp) ** 2
    gap = np.zeros((round(GAP_SECONDS * TONE_RATE), 2))
    parts = []
    for place in range(3):
        gain = 10 ** (QUIETER_DB / 20) if place == quietest else 1.0
        right = -1.0 if place == antiphase else 1.0
        parts += [np.stack([gain * tone, right * gain * tone], axis=1), gap]
    sound = np.rint(np.concatenate(parts[:-1]) * audio.FULL_SCALE)
    return _wav((sound + draw.integers(-1, 2, sound.shape)).astype(np.int16), TONE_RATE)


def _wav(samples: np.ndarray, rate: int) -> bytes:
    from scipy.io import wavfile

    file = io.BytesIO()
    wavfile.write(file, rate, samples)
    return file.getvalue()
