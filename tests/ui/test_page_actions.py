"""The endpoints, without a browser."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from latent_edit.errors import InputError
from latent_edit.request import EditRequest
from latent_edit.ui.actions import Actions
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.settings import A_RECORDING, LIKE_A_CLIP, PACE_BY_HAND, PACE_FROM_STYLE

GOOD: dict[str, Any] = {
    "text": "Good morning.", "prompt": "a whisper", "voice": "sam_a", "decode_voice": "", "method": None,
    "strength": 1.0, "guidance": 2.0, "steps": 4, "pace_source": PACE_FROM_STYLE, "pace": 2.0, "seed": 5,
}  # fmt: skip


@pytest.fixture
def actions(fake_editor: Any) -> Actions:
    loader = EditorLoader(lambda: fake_editor)
    loader.start()
    return Actions(loader)


def run(actions: Actions, **changes: Any) -> Any:
    (values,) = actions.edit(**{**GOOD, **changes}, progress=lambda *_, **__: None)  # type: ignore[arg-type]
    return values


def test_files_are_there_while_gradio_copies_them_and_gone_afterwards(actions: Actions) -> None:
    run_of_edit = actions.edit(**GOOD, progress=lambda *_, **__: None)  # type: ignore[arg-type]
    player, _, heatmaps, _ = next(run_of_edit)
    paths = [Path(clip["audio"]["path"]) for clip in player["clips"]]
    paths += [Path(picture["image"]["path"]) for picture in heatmaps["pictures"]]
    assert all(path.stat().st_size > 0 for path in paths)
    assert all(path.is_relative_to(tempfile.gettempdir()) for path in paths)
    assert list(run_of_edit) == []
    assert not any(path.exists() for path in paths)
    assert not paths[0].parent.exists()


def test_progress_is_told_in_words(actions: Actions) -> None:
    told: list[tuple[float, str]] = []
    list(actions.edit(**GOOD, progress=lambda share, desc: told.append((share, desc))))  # type: ignore[arg-type]
    assert (0.1, "Reading the text") in told
    assert [share for share, _ in told] == sorted(share for share, _ in told)


def test_pace_counts_only_when_set_by_hand(actions: Actions) -> None:
    def ratio(**changes: Any) -> float:
        before, after = run(actions, **changes)[0]["clips"]
        return after["seconds"] / before["seconds"]

    assert ratio() == pytest.approx(1.25, abs=0.05)  # what the stand-in takes from the style
    assert ratio(pace_source=PACE_BY_HAND) == pytest.approx(2.0, abs=0.05)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"text": "  "}, "The text is empty"),
        ({"text": None}, "The text"),
        ({"text": "a" * 2001}, "2000"),
        ({"text": "12 ..."}, "pronounced"),
        ({"prompt": ""}, "The prompt is empty"),
        ({"source": A_RECORDING}, "There is no recording yet"),
        ({"style_source": LIKE_A_CLIP}, "There is no clip yet"),
        ({"voice": "nobody"}, "sam_b"),
        ({"guidance": float("nan")}, "Guidance must be"),
        ({"strength": 9.0}, "from 0 to 1.5"),
        ({"steps": 0}, "from 1 to 100"),
        ({"seed": None}, "Seed must be"),
        ({"pace_source": PACE_BY_HAND, "pace": 7.0}, "from 0.5 to 2"),
    ],
)
def test_bad_input_is_a_short_message(actions: Actions, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(gr.Error) as caught:
        run(actions, **changes)
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert not caught.value.print_exception


def test_messages_quote_visitors_without_becoming_html(actions: Actions) -> None:
    with pytest.raises(gr.Error) as caught:
        run(actions, voice="<img src=x onerror=alert(1)>")
    assert "<img" not in caught.value.message
    assert "&lt;img" in caught.value.message


def test_an_edit_asked_for_while_models_load_takes_the_first_voice(actions: Actions, fake_editor: Any) -> None:
    asked: list[str] = []
    edit = fake_editor.edit
    fake_editor.edit = lambda request, progress: asked.append(request.voice) or edit(request, progress)
    run(actions, voice=None)
    assert asked == [fake_editor.voices[0]]
    told: list[str] = []
    waiting = EditorLoader(lambda: fake_editor)
    threading.Timer(0.2, waiting.start).start()
    list(Actions(waiting).edit(**GOOD, progress=lambda _, desc: told.append(desc)))  # type: ignore[arg-type]
    assert told[0] == "Loading the models"


def test_a_clip_and_words_never_contradict_each_other(actions: Actions, fake_editor: Any) -> None:
    asked: list[Any] = []
    edit = fake_editor.edit
    fake_editor.edit = lambda request, _: asked.append(request) or edit(EditRequest("Hi.", "lj", "calm"))
    clips = {"recording": "/tmp/said.wav", "reference": "/tmp/style.wav"}
    run(actions, **clips)
    assert (asked[0].text, asked[0].prompt) == ("Good morning.", "a whisper")
    assert (asked[0].recording, asked[0].reference) == (None, None)
    run(actions, **clips, source=A_RECORDING, style_source=LIKE_A_CLIP)
    assert (asked[1].text, asked[1].prompt) == ("", "")
    assert (asked[1].recording, asked[1].reference) == (Path("/tmp/said.wav"), Path("/tmp/style.wav"))


def test_messages_name_an_upload_as_the_visitor_does(actions: Actions, fake_editor: Any) -> None:
    def refuse(path: Path) -> str:
        raise InputError(f"cannot read {path} as audio")

    fake_editor.nearest_voice = refuse
    with pytest.raises(gr.Error) as caught:
        actions.nearest_voice("/tmp/gradio/0123/me.wav")
    assert caught.value.message == "Cannot read me.wav as audio"


def test_choices_made_by_a_link_stay_where_the_models_know_them(actions: Actions) -> None:
    assert [update["value"] for update in actions.choices("lj", "kate", "i2sb")[:3]] == ["lj", "kate", "i2sb"]
    assert [update["value"] for update in actions.choices("who", "who", "who")[:3]] == ["sam_a", "", "i2sb"]


def test_choices_come_from_the_editor(actions: Actions) -> None:
    voice, decode_voice, method, status = actions.choices()
    assert voice["choices"] == actions.voices()
    assert voice["value"] == "sam_a"
    assert decode_voice["choices"][0] == ("The same voice", "")
    assert decode_voice["choices"][1] == ("sam_a", "sam_a")
    assert (method["value"], method["visible"]) == ("i2sb", False)
    assert status == ""


def test_an_editor_without_bridges_still_offers_its_voices(actions: Actions, fake_editor: Any) -> None:
    fake_editor.methods = {}
    assert actions.choices()[2]["value"] is None


def failing(error: Exception) -> Callable[[], Any]:
    def load() -> Any:
        raise error

    return load


def test_the_reason_why_models_are_missing_reaches_everybody() -> None:
    loader = EditorLoader(failing(InputError("the weights are damaged; get them again")))
    loader.start()
    for _ in range(2):
        with pytest.raises(gr.Error, match="The weights are damaged; get them again"):
            run(Actions(loader))
    assert loader.ready


def test_a_fault_of_the_program_is_told_without_its_details() -> None:
    loader = EditorLoader(failing(RuntimeError("/home/secret")))
    loader.start()
    with pytest.raises(gr.Error) as caught:
        Actions(loader).voices()
    assert "secret" not in caught.value.message
    assert "log" in caught.value.message


def test_start_returns_at_once_and_get_waits(fake_editor: Any) -> None:
    may_end = threading.Event()

    def load() -> Any:
        assert may_end.wait(30)
        return fake_editor

    loader = EditorLoader(load)
    loader.start()
    assert not loader.ready
    may_end.set()
    assert loader.get() is fake_editor
    assert loader.ready
