"""Bridges from acted takes: each is judged by judges that never heard the people it learnt from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_bridges import configuration

from latent_edit.bridge import Bridge
from latent_edit.data.latents import Latents
from latent_edit.data.takes import Take
from latent_edit.editor import LatentEditor
from latent_edit.errors import InputError
from latent_edit.evaluation import emotion
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Recording
from latent_edit.evaluation.takes import acted_bridges
from latent_edit.evaluation.takes.acted_bridges import ActedEdit, Half, acted_rows
from latent_edit.request import EditRequest

PROMPT = "an angry shout"


def half(editor: LatentEditor, actor: str = "x") -> Half:
    """A bridge with random weights, from an angry and a sad take of one actor."""
    config = configuration(pairing={"takes": 1.0}, condition={"other_clip": 1.0}, prosody=True)
    vits = editor.vits
    bridge = Bridge(config, vits.latent_channels, 3, vits.speaker_embedding(0).shape[1]).eval()
    takes = [Take(actor, manner, "a", 0, 1.0) for manner in ("angry", "angry", "sad")]
    return Half.of(
        bridge,
        Latents(
            examples={},
            items=takes,
            speaker=np.zeros(3, int),
            audio_style=torch.nn.functional.normalize(torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]), dim=1),
            caption_styles=[],
            similar=[],
            latent_hash="",
            voice_hash="",
            style_hash="",
        ),
    )


def test_a_style_is_the_mean_of_the_takes_of_an_emotion(tiny_editor: LatentEditor) -> None:
    found = half(tiny_editor)
    assert found.actors == {"x"}
    assert torch.allclose(found.styles["angry"], torch.tensor([[0.5**0.5, 0.5**0.5, 0.0]]))
    assert torch.allclose(found.styles["sad"], torch.tensor([[0.0, 0, 1]]))


def test_an_edit_is_of_the_length_that_the_bridge_predicts_and_its_style_counts(tiny_editor: LatentEditor) -> None:
    asked = EditRequest(text="hi there", voice="anna", prompt=PROMPT, steps=2)
    edits = [ActedEdit(asked, half(tiny_editor)) for _ in range(2)]
    with torch.no_grad():
        for parameter in edits[1].half.bridge.parameters():
            parameter.add_(0.5)
    first, second = (edit.render(tiny_editor).samples for edit in edits)
    assert np.isfinite(first).all()
    assert np.isfinite(second).all()
    assert first.shape != second.shape or not np.array_equal(first, second)
    sad = ActedEdit(EditRequest(text="hi there", voice="anna", prompt="sad and slow", steps=2), edits[0].half)
    assert not torch.equal(sad.style, edits[0].style)
    assert sad.identity(tiny_editor) != edits[0].identity(tiny_editor)


def test_judges_have_heard_none_of_the_actors(
    tiny_editor: LatentEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [emotion.ActedPair(Recording(Path("a"), actor, "t"), (), "angry") for actor in "xyz"]
    heard: list[set[str]] = []

    def fit(_: Any, own: list[emotion.ActedPair], *__: Any) -> None:
        heard.append({pair.take.voice for pair in own})

    monkeypatch.setattr(emotion, "read_acted", lambda _: pairs)
    monkeypatch.setattr(emotion, "fit", fit)
    scores = CachedScores(tiny_editor, tmp_path)
    acted_bridges._judges(scores, tmp_path, half(tiny_editor, "x"), lambda *_: None)
    assert heard == [{"y", "z"}] * len(emotion.KINDS)


def test_halves_that_share_an_actor_are_refused(tiny_editor: LatentEditor, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the same actors"):
        acted_rows(CachedScores(tiny_editor, tmp_path), tmp_path, [half(tiny_editor)] * 2, lambda *_: None)
