"""How clips are read, how they are cleaned, how loud speech should be, and which voice comes nearest to it."""

from __future__ import annotations

import math
from pathlib import Path

import torch

from latent_edit import audio
from latent_edit.errors import InputError
from latent_edit.models.spectrogram import LogMel
from latent_edit.models.vits import SHORTEST_RECORDING_SECONDS, FrozenVits
from latent_edit.recording.denoising import denoised
from latent_edit.recording.quality import Quality, quality
from latent_edit.types import Waveform

# What the voices were trained at: a microphone is as loud as it happens to be, and a posterior encoder hears the level.
LOUDNESS_LUFS = -24.0
COMPARED_SECONDS = 8.0  # of a recording; more would tell no more about whose voice it is
MEL_BANDS = 80


def read_clip(clip: Path, sampling_rate: int) -> Waveform:
    """An audio file at that rate. Raises InputError when it cannot be read, is empty or longer than 30 s."""
    return Waveform.of(torch.from_numpy(audio.read_audio(clip, sampling_rate)), sampling_rate)


def read_speech(clip: Path, sampling_rate: int) -> tuple[Waveform, Quality]:
    """`read_clip` of somebody who speaks, and its quality. Raises InputError of noise or music alone as well."""
    recording = read_clip(clip, sampling_rate)
    if recording.samples.shape[1] < SHORTEST_RECORDING_SECONDS * sampling_rate:  # too short to tell speech by
        raise InputError(f"{clip} is too short: at least {SHORTEST_RECORDING_SECONDS} s are needed")
    measured = quality(recording.item(0).numpy(), sampling_rate)
    measured.check(clip)
    return recording, measured


def cleaned(recording: Waveform, measured: Quality) -> Waveform:
    """A single clip as the voice and the CLAP are given it: without its noise, at the loudness of the voices."""
    if measured.is_noisy:
        clear = denoised(recording.item(0).numpy(), recording.sampling_rate)
        recording = Waveform.of(torch.from_numpy(clear), recording.sampling_rate)
    return levelled(recording)


def levelled(recording: Waveform, loudness: float = LOUDNESS_LUFS) -> Waveform:
    """A single clip at the loudness of the voices, in LUFS; as it is, where its loudness cannot be measured."""
    samples = recording.item(0)
    peak = samples.abs().max().clamp(min=1e-9)  # against it, because nothing below -70 LUFS counts as sound
    found = audio.loudness_lufs((samples / peak).numpy(), recording.sampling_rate)
    if found is None:
        return Waveform.of(samples, recording.sampling_rate)
    # Rounded, because the last digits depend on where in memory the samples lie: an edit has to repeat to the bit.
    gain = 10 ** (round(loudness - found - 20 * math.log10(float(peak)), 2) / 20)
    return Waveform.of(samples * gain, recording.sampling_rate)


def nearest_speaker(vits: FrozenVits, recording: Waveform) -> str:
    """The speaker as whom the voice resynthesises a recording with the least mean distance of log-mel spectra.

    Nothing is asked but the voice itself: what a speaker's encoder and decoder cannot carry is lost on the way.
    """
    start = Waveform.of(recording.item(0)[: round(COMPARED_SECONDS * vits.sampling_rate)], vits.sampling_rate)
    log_mel = LogMel(vits.sampling_rate, vits.fft_size, vits.hop_length, MEL_BANDS)
    heard = log_mel(start.samples)

    def distance(name: str) -> float:
        again = vits.decode(vits.encode_speech(start, name), name)
        return float((log_mel(again.samples) - heard).abs().mean())

    return min(vits.speakers, key=distance)
