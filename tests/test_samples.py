"""The sound examples: made by the shipped weights, and what the page says about them is what they are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from latent_edit.editor import LatentEditor
from latent_edit.request import EditRequest
from latent_edit.samples import PROMPTS, TABLE_NAME, TEXT, make_samples

SOUNDS = Path(__file__).resolve().parent.parent / "assets" / "sounds"


def test_every_voice_in_every_style(tiny_editor: LatentEditor, tmp_path: Path) -> None:
    make_samples(tiny_editor, tmp_path / "sounds")
    table = json.loads((tmp_path / "sounds" / TABLE_NAME).read_text(encoding="utf-8"))
    assert table["text"] == TEXT
    asked = [(voice, prompt) for voice in tiny_editor.voices for prompt in (None, *PROMPTS)]
    assert [(row["voice"], row["prompt"]) for row in table["sounds"]] == asked
    rate = tiny_editor.vits.sampling_rate
    for row in table["sounds"]:
        samples, heard_rate = soundfile.read(tmp_path / "sounds" / row["file"])
        assert heard_rate == rate
        assert samples.size / rate == pytest.approx(row["measurements"]["duration_seconds"], abs=0.2)


@pytest.mark.shipped
def test_the_examples_in_the_repository_are_of_the_shipped_weights(shipped_editor: LatentEditor) -> None:
    table = json.loads((SOUNDS / TABLE_NAME).read_text(encoding="utf-8"))
    assert table["hashes"] == shipped_editor.hashes(EditRequest.method)
    files = {row["file"] for row in table["sounds"]}
    assert len(files) == 4 * (1 + len(PROMPTS))
    assert files == {path.name for path in SOUNDS.glob("*.mp3")}
    assert sum(path.stat().st_size for path in SOUNDS.iterdir()) < 1_000_000
