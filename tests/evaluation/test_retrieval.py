"""Retrieval counts what it says it counts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latent_edit.config import preset_prompts
from latent_edit.data.lexicon import load_lexicon
from latent_edit.data.styles import Style
from latent_edit.evaluation.clips import Recording, Rendered
from latent_edit.evaluation.plan import Plan, Sizes, sentences
from latent_edit.evaluation.retrieval import retrieval_rows


class Oracle:
    """A jury and its CLAP that know which preset each clip and caption is, except for the words of one preset."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong
        self.editor = SimpleNamespace(style_encoder=self)

    def ask(self, judge: str, clip: Rendered) -> list[float]:
        assert judge == "style"
        prompts = preset_prompts()
        return np.eye(12)[[Style.named(prompt) for prompt in prompts].index(clip.style)].tolist()

    def embed_text(self, texts: list[str]) -> torch.Tensor:
        presets = load_lexicon().presets
        rows = []
        for text in texts:
            of = next(
                prompt
                for prompt in preset_prompts()
                if text == prompt or any(text in presets[prompt].captions[s] for s in ("test", "unseen_words"))
            )
            rows.append(0 if of == self.wrong else preset_prompts().index(of))
        return torch.eye(12)[rows]


def test_one_preset_missed_is_one_twelfth() -> None:
    texts = sentences("sam_a")[:2]
    spoken = {("sam_a", text): Recording(Path(text), "sam_a", text) for text in texts}
    plan = Plan(("sam_a",), Sizes(), {}, spoken, {})
    rows = retrieval_rows(Oracle(preset_prompts()[3]), plan)
    assert [row.estimate.value for row in rows] == pytest.approx([11 / 12] * 3)
    assert [row.beside for row in rows] == ["2 recordings"] * 3
    assert rows[0].verdict == "holds"
    assert retrieval_rows(Oracle(""), plan)[0].estimate.value == 1.0
