"""Settings survive a save and a load, in an edit.json; a link is tested in the browser."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from latent_edit.request import EditRequest
from latent_edit.result import EditResult
from latent_edit.ui import share_link
from latent_edit.ui.controls import Controls
from latent_edit.ui.settings import A_RECORDING, LIKE_A_CLIP, Settings

REQUESTS = [
    EditRequest("Good morning.", "sam_a", "a whisper"),
    EditRequest("Good morning.", "sam_b", "a `shout` <b>", decode_voice="lj", method="palette", guidance=3.5,
                strength=0.4, steps=25, pace=0.75, seed=2**32 - 1),
]  # fmt: skip


@pytest.fixture
def warnings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the page would say in passing."""
    said: list[str] = []
    monkeypatch.setattr(share_link.gr, "Warning", said.append)
    return said


def written(folder: Path, request: EditRequest) -> str:
    path = folder / "edit.json"
    path.write_text(json.dumps({"request": request.to_dict(), "provenance": {}}), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize("request_", REQUESTS, ids=["defaults", "everything"])
def test_every_setting_survives_a_record(tmp_path: Path, request_: EditRequest, warnings: list[str]) -> None:
    values = share_link.open_record(written(tmp_path, request_))
    assert Settings(*values).request(SimpleNamespace(voices=["another"])) == request_
    assert warnings == []


def test_the_record_of_an_edit_is_one_that_can_be_opened(result: EditResult, tmp_path: Path) -> None:
    values = share_link.open_record(str(result.save(tmp_path, with_figures=False)["edit.json"]))
    assert Settings(*values).request(SimpleNamespace(voices=["another"])) == result.request


def test_a_clip_is_asked_for_again(tmp_path: Path, warnings: list[str]) -> None:
    request = EditRequest("", "sam_a", recording=Path("recording.wav"), reference=Path("reference.wav"))
    settings = Settings(*share_link.open_record(written(tmp_path, request)))
    assert (settings.source, settings.style_source) == (A_RECORDING, LIKE_A_CLIP)
    assert (settings.recording, settings.reference) == (None, None)
    assert "recording and a reference" in warnings[0]


def test_what_the_page_cannot_set_is_said(tmp_path: Path, warnings: list[str]) -> None:
    share_link.open_record(written(tmp_path, dataclasses.replace(REQUESTS[0], prior_noise=0.2, correction=False)))
    assert "prior_noise and correction" in warnings[0]
    assert "duration_noise" not in warnings[0]


@pytest.mark.parametrize("content", ["", "[]", '{"request": {}, "provenance": {}}'])
def test_another_file_is_a_short_message(tmp_path: Path, content: str) -> None:
    path = tmp_path / "edit.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(gr.Error) as caught:
        share_link.open_record(str(path))
    assert "edit.json" in caught.value.message
    assert str(tmp_path) not in caught.value.message


def test_no_file_is_a_short_message() -> None:
    with pytest.raises(gr.Error, match=r"There is no file; give an edit\.json"):
        share_link.open_record(None)


def test_controls_and_settings_have_one_order() -> None:
    def names(of: Any) -> list[str]:
        return [field.name for field in dataclasses.fields(of)]

    assert [name for name in names(Controls) if not name.endswith("_note")] == names(Settings)
    clips = {"recording", "reference"}
    assert set(share_link.LINKED) == set(names(Settings)) - clips
    assert set(share_link.NUMBERS) <= set(share_link.LINKED)
