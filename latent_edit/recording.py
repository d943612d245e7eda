"""Clips that a person gives: how they are heard, how loud speech should be, and which voice comes nearest to it."""

from __future__ import annotations

from pathlib import Path

import torch

from latent_edit import audio
from latent_edit.models.spectrogram import LogMel
from latent_edit.models.vits import FrozenVits
from latent_edit.types import Waveform

# What the voices were trained at: a microphone is as loud as it happens to be, and a posterior encoder hears the level.
LOUDNESS_LUFS = -24.0
COMPARED_SECONDS = 8.0  # of a recording; more would tell no more about whose voice it is
MEL_BANDS = 80


def read_clip(clip: Path, sampling_rate: int) -> Waveform:
    """An audio file at that rate. Raises InputError when it cannot be read, is empty or longer than 30 s."""
    return Waveform.of(torch.from_numpy(audio.read_audio(clip, sampling_rate)), sampling_rate)


def levelled(recording: Waveform) -> Waveform:
    """A single clip at the loudness of the voices; as it is, where its loudness cannot be measured."""
    samples = recording.item(0)
    loudness = audio.loudness_lufs(samples.numpy(), recording.sampling_rate)
    # Rounded, because the last digits depend on where in memory the samples lie: an edit has to repeat to the bit.
    gain = 1.0 if loudness is None else 10 ** (round(LOUDNESS_LUFS - loudness, 2) / 20)
    return Waveform.of(samples * gain, recording.sampling_rate)


def nearest_speaker(vits: FrozenVits, recording: Waveform) -> str:
    """The speaker as whom the voice says a recording again with the least mean distance of log-mel spectra.

    Nothing is asked but the voice itself: what a speaker's encoder and decoder cannot carry is lost on the way.
    """
    start = Waveform.of(recording.item(0)[: round(COMPARED_SECONDS * vits.sampling_rate)], vits.sampling_rate)
    log_mel = LogMel(vits.sampling_rate, vits.fft_size, vits.hop_length, MEL_BANDS)
    heard = log_mel(start.samples)

    def distance(name: str) -> float:
        again = vits.decode(vits.encode_speech(start, name), name)
        return float((log_mel(again.samples) - heard).abs().mean())

    return min(vits.speakers, key=distance)
