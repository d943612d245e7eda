"""Which edits a comparison takes, and what its grid shows."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
import soundfile
from PIL import Image

from latent_edit.errors import InputError
from latent_edit.request import MAX_SEED, EditRequest
from latent_edit.result import EditResult
from latent_edit.ui.comparing import (
    GUIDANCE,
    GUIDANCE_VALUES,
    KINDS,
    METHODS,
    MOST_CHARACTERS,
    MOST_EDITS,
    PROMPTS,
    SEED,
    SPEAKERS,
    STRENGTH,
    STRENGTH_VALUES,
    VOICES,
    Comparison,
    grid_edits,
)
from latent_edit.ui.grid import Cell, grid_value
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.settings import A_RECORDING, LIKE_A_CLIP, PACE_BY_HAND, PACE_FROM_STYLE

BASE = EditRequest("Good morning.", "sam_b", "a whisper", seed=4)
VOICE_NAMES = ["sam_a", "sam_b", "lj"]
METHOD_NAMES = {"i2sb": "a bridge", "palette": "from noise"}


def planned(kind: str, base: EditRequest = BASE, prompts: str = "", voices: list[str] | None = None) -> Any:
    return grid_edits(kind, base, prompts, VOICE_NAMES if voices is None else voices, METHOD_NAMES)


def test_one_thing_varies_and_all_else_stays() -> None:
    requests = {kind: [request for _, request in planned(kind, prompts="calm\nsad").edits] for kind in KINDS}
    assert [request.guidance for request in requests[GUIDANCE]] == list(GUIDANCE_VALUES)
    assert [request.strength for request in requests[STRENGTH]] == list(STRENGTH_VALUES)
    assert [request.seed for request in requests[SEED]] == [4, 5, 6, 7]
    assert [request.prompt for request in requests[PROMPTS]] == ["calm", "sad"]
    assert [request.voice for request in requests[VOICES]] == VOICE_NAMES
    assert [request.method for request in requests[METHODS]] == list(METHOD_NAMES)
    varied = {GUIDANCE: "guidance", STRENGTH: "strength", SEED: "seed", PROMPTS: "prompt", VOICES: "voice"}
    for kind, name in varied.items():
        for request in requests[kind]:
            assert dataclasses.replace(request, **{name: getattr(BASE, name)}) == BASE


def test_seeds_begin_anew_after_the_largest() -> None:
    grid = planned(SEED, dataclasses.replace(BASE, seed=MAX_SEED))
    assert [request.seed for _, request in grid.edits] == [MAX_SEED, 0, 1, 2]
    assert grid.edits[1][0] == "seed 0"


def test_speaker_a_b_is_the_grid_of_the_paper() -> None:
    grid = planned(SPEAKERS)
    pairs = [(request.voice, request.decode_voice) for _, request in grid.edits]
    assert pairs == [("sam_b", "sam_b"), ("sam_b", "sam_a"), ("sam_a", "sam_b"), ("sam_a", "sam_a")]
    assert grid.columns == 2
    assert "arXiv 2311.10804" in grid.about and "decoder" in grid.about
    with pytest.raises(InputError, match="two voices"):
        planned(SPEAKERS, voices=["sam_b"])


def test_prompts_are_lines_without_repeats() -> None:
    titles = [title for title, _ in planned(PROMPTS, prompts=" calm \n\nsad\ncalm\n").edits]
    assert titles == ["calm", "sad"]


@pytest.mark.parametrize(
    ("kind", "base", "prompts", "words"),
    [
        (PROMPTS, BASE, " \n ", "write one to 6 prompts"),
        (PROMPTS, BASE, "\n".join("abcdefg"), "there are 7"),
        ("Moods", BASE, "", "no comparison"),
        (GUIDANCE, EditRequest("a" * (MOST_CHARACTERS + 1), "sam_a", "calm"), "", "up to 200 characters"),
    ],
)
def test_a_grid_is_bounded(kind: str, base: EditRequest, prompts: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        planned(kind, base, prompts)


def test_voices_that_are_left_out_are_told(fake_editor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(gr, "Info", told.append)
    finished(compare(fake_editor, VOICES))
    assert told == []
    fake_editor.voices = [f"p{number}" for number in range(109)]
    finished(compare(fake_editor, VOICES, voice="p1"))
    assert told == ["The first 6 of 109 voices are compared."]


def test_many_voices_are_cut_to_what_time_allows() -> None:
    assert len(planned(VOICES, voices=[str(number) for number in range(109)]).edits) == MOST_EDITS


def test_a_grid_has_one_gain_and_one_time_axis(result: EditResult, tmp_path: Path) -> None:
    value = grid_value([Cell.before("Before", result), Cell.after("After", result)], tmp_path, columns=2)
    before, after = value["cells"]
    assert value["columns"] == 2
    assert after["share"] == 100.0
    assert before["share"] == pytest.approx(100 * before["seconds"] / after["seconds"], abs=0.1)
    loudest = [np.abs(soundfile.read(cell["audio"]["path"])[0]).max() for cell in (before, after)]
    peaks = [float(wave.samples.abs().max()) for wave in (result.before, result.after)]
    assert loudest[0] / loudest[1] == pytest.approx(peaks[0] / peaks[1], rel=0.01)
    with Image.open(after["image"]["path"]) as image:
        assert image.size == (result.z_edit.z.shape[2], result.z_edit.z.shape[1])
    assert before["detail"] == "the plain reading"
    assert after["detail"].startswith("pitch +")


def ready(editor: Any) -> EditorLoader:
    loader = EditorLoader(lambda: editor)
    loader.start()
    return loader


def compare(
    editor: Any,
    kind: str,
    told: list[Any] | None = None,
    comparison: Comparison | None = None,
    visitor: Any = None,
    **changes: Any,
) -> Any:
    values = {"text": "Good morning.", "prompt": "a whisper", "voice": "sam_b", "decode_voice": "", "method": "i2sb",
              "strength": 1.0, "guidance": 2.0, "steps": 4, "pace_source": PACE_FROM_STYLE, "pace": 1.0, "seed": 5,
              "prompts": "calm\nsad", **changes}  # fmt: skip
    told = [] if told is None else told
    comparison = comparison or Comparison(ready(editor))
    return comparison.compare(  # type: ignore[arg-type]
        **values, kind=kind, visitor=visitor, progress=lambda share, desc: told.append((share, desc))
    )


def finished(running: Any) -> Any:
    """The value of the whole grid."""
    *_, value = running
    return value


def test_a_grid_grows_by_an_edit_at_a_time_and_its_files_go_afterwards(fake_editor: Any) -> None:
    told: list[Any] = []
    running = compare(fake_editor, PROMPTS, told)
    assert [cell["title"] for cell in next(running)["cells"]] == ["Before", "calm"]
    assert max(share for share, _ in told) < 0.5
    value = next(running)
    assert [cell["title"] for cell in value["cells"]] == ["Before", "calm", "sad"]
    paths = [Path(cell[kind]["path"]) for cell in value["cells"] for kind in ("audio", "image")]
    assert all(path.stat().st_size > 0 and path.is_relative_to(tempfile.gettempdir()) for path in paths)
    assert list(running) == []
    assert not any(path.exists() for path in paths)
    assert (0.05, "Calm: reading the text") in told
    assert [share for share, _ in told] == sorted(share for share, _ in told)


def test_cancelling_stops_the_own_grid_and_keeps_what_is_there(fake_editor: Any) -> None:
    comparison, anna, ben = (
        Comparison(ready(fake_editor)),
        SimpleNamespace(session_hash="anna"),
        SimpleNamespace(session_hash="ben"),
    )
    annas = compare(fake_editor, PROMPTS, comparison=comparison, visitor=anna)
    bens = compare(fake_editor, PROMPTS, comparison=comparison, visitor=ben)
    next(annas), next(bens)
    comparison.stop(anna)  # type: ignore[arg-type]
    assert list(annas) == []
    assert len(list(bens)) == 1


def test_every_setting_counts(fake_editor: Any) -> None:
    asked: list[EditRequest] = []
    edit = fake_editor.edit
    fake_editor.edit = lambda request, _: asked.append(request) or edit(EditRequest("Hi.", "lj", "calm"))
    by_hand = {"pace_source": PACE_BY_HAND, "pace": 1.5, "decode_voice": "kate", "axes": {"set": {"level_db": 2.0}}}
    finished(compare(fake_editor, METHODS, **by_hand))
    assert {(request.pace, request.decode_voice) for request in asked} == {(1.5, "kate")}
    assert [request.axes for request in asked] == 2 * [{"level_db": 2.0}]
    asked.clear()
    clips = {
        "source": A_RECORDING,
        "recording": "/tmp/said.wav",
        "style_source": LIKE_A_CLIP,
        "reference": "/tmp/b.wav",
    }
    finished(compare(fake_editor, GUIDANCE, **clips))
    assert {(request.text, request.recording, request.prompt, request.reference) for request in asked} == {
        ("", Path("/tmp/said.wav"), "", Path("/tmp/b.wav"))
    }
    asked.clear()
    finished(compare(fake_editor, PROMPTS, **clips))  # words take the place of the clip
    assert [(request.prompt, request.reference) for request in asked] == [("calm", None), ("sad", None)]


@pytest.mark.parametrize("missing", [{"prompt": ""}, {"style_source": LIKE_A_CLIP, "reference": None}])
def test_prompts_need_none_on_edit(fake_editor: Any, missing: dict[str, Any]) -> None:
    titles = [cell["title"] for cell in finished(compare(fake_editor, PROMPTS, **missing))["cells"]]
    assert titles == ["Before", "calm", "sad"]
    with pytest.raises(gr.Error):
        next(compare(fake_editor, GUIDANCE, **missing))


def test_a_grid_names_the_words_that_it_does_not_know(fake_editor: Any) -> None:
    cells = finished(compare(fake_editor, PROMPTS, prompts="a blorp whisper\ncalm"))["cells"]
    assert ["does not know blorp" in cell["detail"] for cell in cells] == [False, True, False]


def test_voices_and_seeds_have_no_common_before(fake_editor: Any) -> None:
    assert [cell["title"] for cell in finished(compare(fake_editor, VOICES))["cells"]] == fake_editor.voices
    assert next(cell["title"] for cell in finished(compare(fake_editor, SEED))["cells"]) == "seed 5"


def test_a_grid_tells_what_is_held_fixed(fake_editor: Any) -> None:
    fixed = finished(compare(fake_editor, STRENGTH, axes={"set": {"level_db": 2.0}}))["fixed"]
    assert fixed == (
        "\u201cGood morning.\u201d, sam_b, a whisper, level +2.0 dB by hand, guidance 2, 4 steps, seed 5, method i2sb"
    )
    for kind, name in ((SEED, "seed"), (GUIDANCE, "guidance"), (PROMPTS, "whisper"), (VOICES, "sam_b")):
        fixed = finished(compare(fake_editor, kind))["fixed"]
        assert name not in fixed and "strength 1" in fixed
    assert "its own" not in fixed and "by hand" not in fixed  # what goes without saying


def test_files_are_called_like_their_cells(fake_editor: Any) -> None:
    cells = finished(compare(fake_editor, PROMPTS, prompts="calm, <b>/../slow</b>\n!!!"))["cells"]
    assert [cell["audio"]["orig_name"] for cell in cells] == ["before.wav", "calm-b-..-slow-b.wav", "take.wav"]


def test_cells_say_when_each_phoneme_begins(fake_editor: Any) -> None:
    before, after, *_ = finished(compare(fake_editor, STRENGTH))["cells"]
    assert len(before["moments"]) == len(after["moments"]) == 1 + len("Goodmorning") + 1
    for cell in (before, after):
        assert cell["moments"] == sorted(cell["moments"])
        assert cell["moments"][-1] == pytest.approx(cell["seconds"], abs=0.05)


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [(PROMPTS, {"prompts": ""}, "Write one"), (GUIDANCE, {"text": ""}, "The text is empty"), ("x", {}, "known")],
)
def test_bad_input_is_a_short_message(fake_editor: Any, kind: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(gr.Error, match=words):
        next(compare(fake_editor, kind, **changes))
