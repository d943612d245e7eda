"""Settings survive a save and a load, in an edit.json; and what a link says is checked."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import gradio as gr
import pytest

from latent_edit.errors import InputError
from latent_edit.request import EditRequest
from latent_edit.result import EditResult
from latent_edit.ui import share_link
from latent_edit.ui.actions import Actions
from latent_edit.ui.controls import Controls
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.settings import A_RECORDING, LIKE_A_CLIP, Settings

REQUESTS = [
    EditRequest("Good morning.", "sam_a", "a whisper"),
    EditRequest("Good morning.", "sam_b", "a `shout` <b>", decode_voice="lj", method="palette", guidance=3.5,
                strength=0.4, steps=25, pace=0.75, seed=2**32 - 1, axes={"level_db": -3.0, "breathiness": 0.5},
                words=(1, 2)),
]  # fmt: skip
ACTIONS = Actions(EditorLoader(lambda: pytest.fail("no models are needed")))
EDITOR: Any = SimpleNamespace(
    voices=["sam_a", "lj"], methods={"i2sb": "a bridge"}, default_method="i2sb", reads_english=True
)


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
    values = share_link.open_record(written(tmp_path, request_), ACTIONS)
    assert Settings(*values).request(SimpleNamespace(voices=["another"])) == request_
    assert warnings == []


def test_the_record_of_an_edit_is_one_that_can_be_opened(result: EditResult, tmp_path: Path) -> None:
    values = share_link.open_record(str(result.save(tmp_path, with_figures=False)["edit.json"]), ACTIONS)
    assert Settings(*values).request(SimpleNamespace(voices=["another"])) == result.request


def test_marked_words_of_a_long_text_survive_record_and_link(tmp_path: Path) -> None:
    request = EditRequest("It rains again. " * 60, "sam_a", "calm", words=(150, 160))
    values = share_link.open_record(written(tmp_path, request), ACTIONS)
    assert Settings(*values).request(SimpleNamespace(voices=["another"])) == request
    assert (linked(text=request.text, words="150-160").words or {})["marked"] == "150-160"


def test_a_clip_is_asked_for_again(tmp_path: Path, warnings: list[str]) -> None:
    request = EditRequest("", "sam_a", recording=Path("recording.wav"), reference=Path("reference.wav"))
    settings = Settings(*share_link.open_record(written(tmp_path, request), ACTIONS))
    assert (settings.source, settings.style_source) == (A_RECORDING, LIKE_A_CLIP)
    assert (settings.recording, settings.reference) == (None, None)
    assert "recording and a reference" in warnings[0]


def test_what_the_page_cannot_set_is_said(tmp_path: Path, warnings: list[str]) -> None:
    share_link.open_record(
        written(tmp_path, dataclasses.replace(REQUESTS[0], prior_noise=0.2, correction=False)), ACTIONS
    )
    assert "prior_noise and correction" in warnings[0]
    assert "duration_noise" not in warnings[0]


@pytest.mark.parametrize("content", ["", "[]", '{"request": {}, "provenance": {}}'])
def test_another_file_is_a_short_message(tmp_path: Path, content: str) -> None:
    path = tmp_path / "edit.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(gr.Error) as caught:
        share_link.open_record(str(path), ACTIONS)
    assert "edit.json" in caught.value.message
    assert str(tmp_path) not in caught.value.message


def test_no_file_is_a_short_message() -> None:
    with pytest.raises(gr.Error, match=r"There is no file; give an edit\.json"):
        share_link.open_record(None, ACTIONS)


def test_the_panel_shows_the_reading_of_the_opened_prompt_and_what_is_set_by_hand(tmp_path: Path) -> None:
    panel = Settings(*share_link.open_record(written(tmp_path, REQUESTS[1]), ACTIONS)).axes
    assert panel is not None
    assert panel["set"] == REQUESTS[1].axes
    assert panel["prompt"] == REQUESTS[1].prompt
    assert any(axis["named"] for axis in panel["axes"])  # of the shout


SHOWN = Settings.of(EditRequest("Good morning.", "sam_a", "calm"))


def linked(**values: str) -> Settings:
    return share_link.linked_settings(f"?{urlencode(values)}", SHOWN, EDITOR)


def test_a_link_brings_what_it_names_and_leaves_the_rest() -> None:
    axes = {"level_db": -3.0}
    settings = linked(prompt="sad & slow", strength="0.5", seed="7", axes=json.dumps(axes), utm_source="x")
    assert settings == dataclasses.replace(SHOWN, prompt="sad & slow", strength=0.5, seed=7, axes={"set": axes})
    assert linked(voice="", method="", decode_voice="lj") == dataclasses.replace(SHOWN, decode_voice="lj")
    assert linked(source=A_RECORDING, text="", voice="").source == A_RECORDING  # which is to be given


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"strength": "9"}, r"strength must be a number from 0 to 1\.5, not 9"),
        ({"strength": "much"}, "strength must be a number from 0 to 1.5, not 'much'"),
        ({"strength": "NaN"}, "strength must be a number"),
        ({"pace": "null"}, "pace must be a number"),
        ({"steps": "2.5"}, "steps must be a whole number"),
        ({"pace_source": "Mine"}, "there is no pace_source 'Mine'"),
        ({"voice": "nobody"}, "there is no voice 'nobody'; known: sam_a, lj"),
        ({"decode_voice": "nobody"}, "there is no voice 'nobody'"),
        ({"method": "magic"}, "there is no method 'magic'"),
        ({"prompt": " "}, "the prompt is empty"),
        ({"text": ""}, "the text is empty"),
        ({"axes": '{"leve_db": 1}'}, "there is no axis 'leve_db'; did you mean 'level_db'"),
        ({"axes": '{"level_db": 900}'}, "the axis level_db must be a number from"),
        ({"words": "2-1"}, "words must be"),
        ({"words": "2-3"}, "it marks words 2-3 of a text with 2 words"),
        ({"axes": "loud"}, "axes must be values by name of an axis, not 'loud'"),
    ],
)
def test_a_wrong_link_is_named(values: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match="this link is wrong, and nothing was changed: ") as caught:
        linked(**values)
    assert re.search(words, str(caught.value))


def test_controls_and_settings_have_one_order() -> None:
    def names(of: Any) -> list[str]:
        return [field.name for field in dataclasses.fields(of)]

    assert [name for name in names(Controls) if not name.endswith("_note")] == names(Settings)
    clips = {"recording", "reference"}
    assert set(share_link.LINKED) == set(names(Settings)) - clips
    assert set(share_link.NUMBERS) <= set(share_link.LINKED)
