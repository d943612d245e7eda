"""Retrieval counts what it says it counts."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from latent_edit.axes import AXES, AxisValue
from latent_edit.config import preset_prompts
from latent_edit.data.captions import sample_pair
from latent_edit.data.styles import Style
from latent_edit.evaluation.clips import Recording, WorldEdit
from latent_edit.evaluation.plan import Plan, SampleSizes, sentences
from latent_edit.evaluation.retrieval import CAPTIONS, caption_rows, retrieval_rows
from latent_edit.prompts.lexicon import load_lexicon


class Oracle:
    """Scores and a CLAP that know which preset each clip and caption is, except for the words of one preset."""

    def __init__(self, wrong: str) -> None:
        self.wrong = wrong
        self.editor = SimpleNamespace(style_encoder=self)

    def score(self, judge: str, clip: WorldEdit) -> list[float]:
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
    plan = Plan(("sam_a",), SampleSizes(), {}, spoken, {})
    rows = retrieval_rows(Oracle(preset_prompts()[3]), plan)
    assert [row.estimate.value for row in rows] == pytest.approx([11 / 12] * 3)
    assert [row.beside for row in rows] == ["2 recordings"] * 3
    assert rows[0].verdict == "holds"
    assert retrieval_rows(Oracle(""), plan)[0].estimate.value == 1.0


def test_a_caption_is_read_right_if_every_axis_is() -> None:
    """A reader that halves every size passes; one that adds a floor of level to it fails where the caption did not."""
    meant = {}
    for split in ("train", "test"):
        generator = np.random.default_rng(0)
        meant |= {text: style.as_array() for style, text in (sample_pair(generator, split) for _ in range(CAPTIONS))}  # type: ignore[arg-type]

    class Reader:
        louder = 0.0

        def embed_text(self, texts: list[str]) -> torch.Tensor:
            return torch.from_numpy(np.stack([meant[text] for text in texts]))

        def axes(self, style: torch.Tensor) -> dict[str, AxisValue]:
            read = {n: AxisValue(0.5001 * float(v), AXES[n].floor) for n, v in zip(AXES, style[0], strict=True)}
            louder = read["level_db"].value + self.louder
            return read | {"level_db": AxisValue(louder, AXES["level_db"].floor)}

    reader = Reader()
    scores = SimpleNamespace(editor=SimpleNamespace(style_encoder=reader))
    plan = Plan(("sam_a",), SampleSizes(), {}, {}, {"calm": Style()})
    assert [row.estimate.value for row in caption_rows(scores, plan)] == [1.0, 1.0]
    reader.louder = AXES["level_db"].floor
    assert all((row.estimate.value or 0) < 0.5 for row in caption_rows(scores, plan))
    assert caption_rows(scores, Plan(("sam_a",), SampleSizes(), {}, {}, {})) == []
