"""What a reference clip asks for, whatever it was recorded with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from synthetic_speech import speech_like

from latent_edit.audio import loudness_lufs, read_audio
from latent_edit.axes import AxisValue
from latent_edit.editor import LatentEditor
from latent_edit.recording import LOUDNESS_LUFS, quality, with_its_level
from latent_edit.samples import PROMPTS
from latent_edit.types import Waveform

RATE = 16_000
SOUNDS = Path(__file__).parents[2] / "assets" / "sounds"
SHOUT, WHISPER = (str(PROMPTS.index(prompt) + 1) for prompt in ("angry", "a whisper"))


class Hears:
    """A CLAP that finds the same in every clip, but for its level, which it hears so many dB lower than it is."""

    def __init__(self, lower: float = 0.0, **axes: float) -> None:
        self.found = {name: AxisValue(value, 1.0) for name, value in axes.items()}
        self.lower = lower

    def embed_audio(self, clip: Waveform) -> torch.Tensor:
        loudness = loudness_lufs(clip.item(0).numpy(), RATE)
        return torch.tensor([[loudness - LOUDNESS_LUFS - self.lower]])  # type: ignore[operator]

    def axes(self, embedding: torch.Tensor) -> dict[str, AxisValue]:
        level = {"level_db": AxisValue(float(embedding[0, 0]), 1.0)} if self.found else {}
        return {**self.found, **level}


@pytest.mark.parametrize("gain", [0.001, 3.0])
@pytest.mark.parametrize(
    ("axes", "low", "high"),
    [
        ({}, 0, 0),
        ({"pitch_semitones": 0, "tilt_db": 0, "breathiness": 0}, 0, 0),
        ({"pitch_semitones": 5, "tilt_db": 7, "breathiness": 0}, 4, 9),
        ({"pitch_semitones": 5, "tilt_db": 0, "breathiness": 1}, -9, -6),
        ({"pitch_semitones": -3, "tilt_db": -5, "breathiness": 0}, -6, -3),
        ({"pitch_semitones": 90, "tilt_db": 90, "breathiness": 0}, 10, 10),
    ],
)
def test_a_clip_is_as_loud_as_its_manner(gain: float, axes: dict[str, float], low: float, high: float) -> None:
    samples = gain * speech_like(2.0)
    encoder: Any = Hears(**axes)
    clip = with_its_level(encoder, Waveform.of(torch.from_numpy(samples), RATE), quality(samples, RATE))
    loudness = loudness_lufs(clip.item(0).numpy(), RATE)
    assert loudness is not None
    assert low - 0.1 <= loudness - LOUDNESS_LUFS <= high + 0.1


def test_a_clip_is_as_loud_as_the_clap_hears_its_manner() -> None:
    samples = speech_like(2.0)
    clip = Waveform.of(torch.from_numpy(samples), RATE)
    plain, softer = (
        with_its_level(Hears(lower, pitch_semitones=3, tilt_db=4, breathiness=0), clip, quality(samples, RATE))  # type: ignore[arg-type]
        for lower in (0.0, 2.0)
    )
    loudness = [loudness_lufs(each.item(0).numpy(), RATE) for each in (plain, softer)]
    assert loudness[1] - loudness[0] == pytest.approx(2.0, abs=0.1)  # type: ignore[operator]


@pytest.mark.shipped
@pytest.mark.parametrize("voice", ["sam_a", "sam_b", "kathleen", "robotutor"])
@pytest.mark.parametrize("gain", [0.003, 1.0])
def test_a_quiet_shout_is_a_shout_and_a_loud_whisper_is_quiet(
    shipped_editor: LatentEditor, voice: str, gain: float
) -> None:
    encoder, asked = shipped_editor.style_encoder, {}
    for style in (SHOUT, WHISPER):
        samples = read_audio(SOUNDS / f"{voice}-{style}.mp3", RATE)
        samples = (gain * samples / np.abs(samples).max()).astype(np.float32)
        clip = with_its_level(encoder, Waveform.of(torch.from_numpy(samples), RATE), quality(samples, RATE))
        asked[style] = encoder.axes(encoder.embed_audio(clip))["level_db"].value
    assert asked[SHOUT] > 2.0
    assert asked[WHISPER] < (-2.0 if voice == "robotutor" else -4.0)  # whose whisper the CLAP hears as half of one
