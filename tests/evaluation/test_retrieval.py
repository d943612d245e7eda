"""Retrieval counts what it says it counts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("pyworld")

from latent_edit.config import preset_prompts
from latent_edit.data.lexicon import load_lexicon
from latent_edit.errors import InputError
from latent_edit.evaluation.retrieval import retrieval
from latent_edit.types import Waveform


class Oracle:
    """Knows which preset each clip and caption is, except for the words of one preset."""

    name, dimension, hash, sampling_rate = "oracle", 12, "", 16_000

    def __init__(self, wrong: str) -> None:
        self.wrong, self.calls = wrong, 0

    def embed_audio(self, waveform: Waveform) -> torch.Tensor:
        assert waveform.samples.shape[0] == 1
        self.calls += 1
        return torch.eye(12)[[(self.calls - 1) % 12]]

    def embed_text(self, prompts: list[str]) -> torch.Tensor:
        names, presets = preset_prompts(), load_lexicon().presets
        rows = []
        for text in prompts:
            of = [
                n for n in names if text == n or any(text in presets[n].captions[s] for s in ("test", "unseen_words"))
            ]
            rows.append(0 if of[0] == self.wrong else names.index(of[0]))
        return torch.eye(12)[rows]

    def unknown_words(self, prompt: str) -> list[str]:
        return [] if prompt else [prompt]


def test_one_preset_missed_is_one_twelfth() -> None:
    wrong = preset_prompts()[3]
    time = np.arange(8000) / 16_000
    clip = (0.2 * np.sign(np.sin(2 * np.pi * 120 * time))).astype(np.float32)
    result = retrieval(Oracle(wrong), [(clip, 16_000), (clip, 16_000)])
    assert result.recordings == 2
    assert result.names == result.top1 == result.unseen_words == pytest.approx(11 / 12)
    assert result.by_preset[wrong] == 0.0
    assert result.confusion.sum() == 2 * sum(len(p.captions["test"]) for p in load_lexicon().presets.values())


def test_no_recordings_are_an_error() -> None:
    with pytest.raises(InputError, match="no held-out recordings"):
        retrieval(Oracle(""), [])
