"""The endpoints, without a browser."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from latent_edit import judges
from latent_edit.errors import CheckpointError, InputError
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
    """The values of the finished edit."""
    *_, values = actions.edit(**{**GOOD, **changes}, progress=lambda *_, **__: None)  # type: ignore[arg-type]
    return values


def paths_in(value: Any) -> list[Path]:
    """Every file that a value hands to gradio."""
    if isinstance(value, dict) and "path" in value:
        return [Path(value["path"])]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return [path for each in inside for path in paths_in(each)]


def test_the_plain_reading_comes_first_and_the_edit_takes_its_place(actions: Actions) -> None:
    told: list[str] = []
    parts = actions.edit(**GOOD, progress=lambda _, desc: told.append(desc))  # type: ignore[arg-type]
    player, table, heatmaps, _, kept = next(parts)
    assert [clip["name"] for clip in player["clips"]] == ["before"]
    assert Path(player["clips"][0]["audio"]["path"]).stat().st_size > 1000
    assert [picture["name"] for picture in heatmaps["pictures"]] == ["z_text"]
    assert (player["record"], table) == (None, None)
    assert "__type__" in kept  # what was kept of an earlier edit stays
    assert "Sampling the bridge" not in told
    player, table, heatmaps, _, kept = next(parts)
    assert [clip["name"] for clip in player["clips"]] == ["before", "after"]
    assert len(heatmaps["pictures"]) == 3
    assert kept.request.text == GOOD["text"]


class Visitor:
    """As much of gradio's request as the actions look at."""

    def __init__(self, session_hash: str) -> None:
        self.session_hash = session_hash


def test_what_was_shown_comes_back_only_when_an_edit_ended_half_way(actions: Actions) -> None:
    shown = run(actions)[-1]
    (restored,) = actions.restore(shown, half_way=True)
    assert [clip["name"] for clip in restored[0]["clips"]] == ["before", "after"]
    assert list(actions.restore(None, half_way=True)) == [(None, None, None, "")]
    for kept in (shown, None):  # None: it is too long ago, and yet on the page
        assert list(actions.restore(kept, half_way=False)) == [(gr.skip(),) * 4]


def test_cancelling_ends_the_own_edit_at_its_next_step(actions: Actions) -> None:
    anna: Any = Visitor("anna")
    ben: Any = Visitor("ben")
    annas = actions.edit(**GOOD, visitor=anna, progress=lambda *_, **__: None)  # type: ignore[arg-type]
    bens = actions.edit(**GOOD, visitor=ben, progress=lambda *_, **__: None)  # type: ignore[arg-type]
    next(annas), next(bens)
    actions.stop(anna)
    assert list(annas) == []
    assert len(list(bens)) == 1
    actions.stop(anna)  # nothing runs
    assert len(list(actions.edit(**GOOD, visitor=anna, progress=lambda *_, **__: None))) == 2  # type: ignore[arg-type]


def test_everything_is_in_the_archive(actions: Actions) -> None:
    shown = run(actions, seed=8)[-1]
    archives = actions.download(shown)
    with zipfile.ZipFile(next(archives)) as archive:
        names = {"before.wav", "after.wav", "edit.json", "z_text.png", "z_edit.png", "difference.png"}
        assert set(archive.namelist()) == names
        assert json.loads(archive.read("edit.json"))["request"]["seed"] == 8
        assert archive.read("after.wav")[:4] == b"RIFF"
    assert list(archives) == []


def test_the_way_along_the_bridge_has_sound_and_picture_at_every_stop(actions: Actions) -> None:
    shown = run(actions)[-1]
    walk = actions.along_the_bridge(shown, progress=lambda *_, **__: None)  # type: ignore[arg-type]
    value = next(walk)
    assert value is not None
    assert [stop["label"] for stop in value["stops"]] == [
        "Z_text, re-timed", "Step 1 of 4", "Step 2 of 4", "Step 3 of 4", "Z\u2032",
    ]  # fmt: skip
    paths = paths_in(value)
    assert len(set(paths)) == 2 * (value["last"] + 1)
    assert all(path.stat().st_size > 0 for path in paths)
    assert list(walk) == []
    assert not any(path.exists() for path in paths)


def test_the_way_along_the_bridge_can_be_cancelled(actions: Actions, fake_editor: Any) -> None:
    shown, anna = run(actions)[-1], Visitor("anna")
    edit = fake_editor.edit

    def cancelled_meanwhile(request: EditRequest, tell: Callable[[str, float], None]) -> Any:
        actions.stop_walk(anna)  # type: ignore[arg-type]
        return edit(request, tell)

    fake_editor.edit = cancelled_meanwhile
    assert list(actions.along_the_bridge(shown, visitor=anna, progress=lambda *_, **__: None)) == []  # type: ignore[arg-type]
    fake_editor.edit = edit
    assert len(list(actions.along_the_bridge(shown, visitor=anna, progress=lambda *_, **__: None))) == 1  # type: ignore[arg-type]


def test_what_is_asked_about_an_edit_needs_one(actions: Actions) -> None:
    for ask in (actions.download, actions.along_the_bridge, lambda shown: [actions.judge(shown)]):
        with pytest.raises(gr.Error, match="There is no edit yet"):
            list(ask(None))


def test_judges_that_are_not_installed_are_named(actions: Actions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judges, "installed", lambda _: False)
    value = actions.judge(run(actions)[-1])
    assert value is not None
    assert (value["heard"], value["voice"]) == (None, None)
    assert ["pocketsphinx" in value["missing"][0], "resemblyzer" in value["missing"][1]] == [True, True]


def test_judges_are_asked_about_both_clips(actions: Actions, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = run(actions)[-1]
    voices = {shown.before.samples.shape[1]: np.array([1.0, 0.0]), shown.after.samples.shape[1]: np.array([0.6, 0.8])}
    monkeypatch.setattr(judges, "installed", lambda _: True)
    monkeypatch.setattr(judges, "recognise", lambda samples, rate: f"{samples.size} at {rate}")
    monkeypatch.setattr(judges, "speaker_embedding", lambda samples, _: voices[samples.size])
    value = actions.judge(shown)
    assert value is not None
    sizes = [shown.before.samples.shape[1], shown.after.samples.shape[1]]
    assert [heard["words"] for heard in value["heard"]] == [f"{size} at 16000" for size in sizes]
    assert (value["voice"], value["missing"]) == ("0.60", [])


def test_files_are_there_while_gradio_copies_them_and_gone_afterwards(actions: Actions) -> None:
    run_of_edit = actions.edit(**GOOD, progress=lambda *_, **__: None)  # type: ignore[arg-type]
    first = paths_in(next(run_of_edit))
    paths = paths_in(next(run_of_edit)[:-1])
    assert len(paths) == 2 + 1 + 3  # clips, record, heatmaps
    assert not any(path.exists() for path in first)
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
        ({"pace_source": "by hand"}, PACE_BY_HAND),
        ({"source": "your recording"}, A_RECORDING),
        ({"style_source": None}, LIKE_A_CLIP),
    ],
)
def test_bad_input_is_a_short_message(actions: Actions, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(gr.Error) as caught:
        run(actions, **changes)
    assert words in caught.value.message
    assert "\n" not in caught.value.message
    assert not caught.value.print_exception


def test_the_nearest_voice_is_that_of_a_recording(actions: Actions) -> None:
    assert actions.nearest_voice("/tmp/said.wav") == "lj"
    with pytest.raises(gr.Error, match="There is no recording yet"):
        actions.nearest_voice(None)


def test_messages_quote_visitors_without_becoming_html(actions: Actions) -> None:
    with pytest.raises(gr.Error) as caught:
        run(actions, voice="<img src=x onerror=alert(1)>")
    assert "<img" not in caught.value.message
    assert "&lt;img" in caught.value.message


def test_an_edit_asked_for_while_models_load_takes_the_first_voice(actions: Actions, fake_editor: Any) -> None:
    asked: list[str] = []
    edit = fake_editor.edit_in_parts
    fake_editor.edit_in_parts = lambda request, progress: asked.append(request.voice) or edit(request, progress)
    run(actions, voice=None)
    assert asked == [fake_editor.voices[0]]


def test_an_edit_asked_for_while_models_load_says_what_it_waits_for(fake_editor: Any) -> None:
    told: list[str] = []
    may_end = threading.Event()
    loader = EditorLoader(lambda: fake_editor if may_end.wait(30) else None)
    loader.start()

    def tell(_: float, desc: str) -> None:
        told.append(desc)
        may_end.set()

    list(Actions(loader).edit(**GOOD, progress=tell))  # type: ignore[arg-type]
    assert told[0] == "Loading the models"


def test_a_recording_without_a_voice_takes_the_nearest(actions: Actions, fake_editor: Any) -> None:
    asked: list[Any] = []
    edit = fake_editor.edit_in_parts
    fake_editor.edit_in_parts = lambda request, _: asked.append(request) or edit(EditRequest("Hi.", "lj", "calm"))
    run(actions, voice=None, source=A_RECORDING, recording="/tmp/said.wav")
    run(actions, voice="kate", source=A_RECORDING, recording="/tmp/said.wav")
    run(actions, voice=None, recording="/tmp/said.wav")  # a sentence
    assert [request.voice for request in asked] == ["lj", "kate", "sam_a"]


def test_a_clip_and_words_never_contradict_each_other(actions: Actions, fake_editor: Any) -> None:
    asked: list[Any] = []
    edit = fake_editor.edit_in_parts
    fake_editor.edit_in_parts = lambda request, _: asked.append(request) or edit(EditRequest("Hi.", "lj", "calm"))
    clips = {"recording": "/tmp/said.wav", "reference": "/tmp/style.wav"}
    run(actions, **clips)
    assert (asked[0].text, asked[0].prompt) == ("Good morning.", "a whisper")
    assert (asked[0].recording, asked[0].reference) == (None, None)
    run(actions, **clips, source=A_RECORDING, style_source=LIKE_A_CLIP)
    assert (asked[1].text, asked[1].prompt) == ("", "")
    assert (asked[1].recording, asked[1].reference) == (Path("/tmp/said.wav"), Path("/tmp/style.wav"))


def test_clips_are_kept_while_one_may_ask_about_them(actions: Actions, fake_editor: Any, tmp_path: Path) -> None:
    clip = tmp_path / "me.wav"
    clip.write_bytes(b"sound")
    edit = fake_editor.edit_in_parts
    fake_editor.edit_in_parts = lambda *_: edit(EditRequest("Hi.", "lj", "calm"))

    def changed() -> int:  # the time that gradio counts an hour from
        time.sleep(0.02)
        return clip.lstat().st_ctime_ns

    first = changed()
    shown = run(actions, source=A_RECORDING, recording=str(clip))[-1]
    second = changed()
    asked = dataclasses.replace(shown, request=dataclasses.replace(shown.request, text="", recording=clip))
    list(actions.along_the_bridge(asked, progress=lambda *_, **__: None))  # type: ignore[arg-type]
    assert first < second < changed()


def test_messages_name_an_upload_as_the_visitor_does(actions: Actions, fake_editor: Any) -> None:
    def refuse(path: Path) -> str:
        raise InputError(f"cannot read {path} as audio")

    fake_editor.nearest_voice = refuse
    with pytest.raises(gr.Error) as caught:
        actions.nearest_voice("/tmp/gradio/0123/me.wav")
    assert caught.value.message == "Cannot read me.wav as audio"
    shown = run(actions)[-1]
    asked = dataclasses.replace(shown.request, text="", recording=Path("/tmp/gradio/0123/me.wav"))
    fake_editor.along_the_bridge = lambda request, _: refuse(request.recording)
    with pytest.raises(gr.Error) as caught:
        list(actions.along_the_bridge(dataclasses.replace(shown, request=asked), progress=lambda *_, **__: None))  # type: ignore[arg-type]
    assert caught.value.message == "Cannot read me.wav as audio"


def test_choices_made_by_a_link_stay_where_the_models_know_them(actions: Actions) -> None:
    assert [update["value"] for update in actions.choices("lj", "kate", "i2sb")[:3]] == ["lj", "kate", "i2sb"]
    assert [update["value"] for update in actions.choices("who", "who", "who")[:3]] == ["sam_a", "", "i2sb"]


def test_choices_come_from_the_editor(actions: Actions) -> None:
    voice, decode_voice, method = actions.choices()
    assert voice["choices"] == actions.voices()
    assert voice["value"] == "sam_a"
    assert decode_voice["choices"][0] == ("The same voice", "")
    assert decode_voice["choices"][1] == ("sam_a", "sam_a")
    titled = [("a bridge", "i2sb"), ("from noise", "palette")]
    assert (method["choices"], method["value"], method["visible"]) == (titled, "i2sb", True)
    assert actions.status() == ""


def test_a_single_method_is_no_choice(actions: Actions, fake_editor: Any) -> None:
    fake_editor.methods = {"i2sb": "a bridge"}
    method = actions.choices()[2]
    assert (method["choices"], method["value"], method["visible"]) == ([("a bridge", "i2sb")], "i2sb", False)


def test_an_editor_without_bridges_still_offers_its_voices(actions: Actions, fake_editor: Any) -> None:
    fake_editor.methods, fake_editor.default_method = {}, "i2sb"
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
    assert Actions(loader).status() == "the weights are damaged; get them again"  # in place of "Loading the models"
    assert all("value" not in update for update in Actions(loader).choices())
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


def test_a_prompt_is_read_also_where_the_models_could_not_be_loaded() -> None:
    def fail() -> Any:
        raise CheckpointError("damaged")

    loader = EditorLoader(fail)
    loader.start()
    with pytest.raises(CheckpointError):
        loader.get()
    assert Actions(loader).read_prompt("zqxv")["lines"][0] == "Nothing here changes how it sounds."
