"""The command line: what each command prints and writes. Bad input is in test_bad_input.py."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from synthetic_speech import speech_like

from latent_edit.axes import AXES
from latent_edit.checkpoint import CARD_NAME, MANIFEST_NAME, ROOT_VARIABLE, verify
from latent_edit.cli import main, report
from latent_edit.editor import LatentEditor
from latent_edit.errors import CheckpointError
from latent_edit.measures import Measurements
from latent_edit.request import EditRequest
from latent_edit.wording import NO_VOICE

Run = Callable[..., tuple[str, str]]


@pytest.fixture
def run(
    tiny_root: Path, tiny_editor: LatentEditor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Run a command that succeeds; returns stdout and stderr."""
    monkeypatch.setenv(ROOT_VARIABLE, str(tiny_root))
    monkeypatch.setattr(LatentEditor, "load", lambda: tiny_editor)

    def call(*arguments: str) -> tuple[str, str]:
        monkeypatch.setattr(sys, "argv", ["latent_edit", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        output = capsys.readouterr()
        assert not caught.value.code, output.err
        return output.out, output.err

    return call


EDIT = ("edit", "--text", "Hello there.", "--voice", "anna", "--prompt", "an angry blorp", "--steps", "2")


def test_voices_and_methods(run: Run) -> None:
    assert run("voices") == ("anna\nben\n", "")
    out, _ = run("methods")
    assert [line.split(maxsplit=1) for line in out.splitlines()] == [["i2sb", "tiny i2sb"], ["palette", "tiny palette"]]


def test_say(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "new" / "plain.wav"
    out, _ = run("say", "--text", "Hello there.", "--voice", "ben", "--out", str(path), "--seed", "4")
    assert out == f"{path}\n"
    assert soundfile.info(path).duration > 0.1
    again = tmp_path / "again.wav"
    run("say", "--text", "Hello there.", "--voice", "ben", "--out", str(again), "--seed", "4")
    assert again.read_bytes() == path.read_bytes()


def test_other_libraries_do_not_remark_on_the_text(tiny_root: Path, tmp_path: Path) -> None:
    """In a process of its own, where what they log goes where a person sees it."""
    sentence = "For the twentieth time that evening the two men shook hands."
    path, environment = tmp_path / "plain.wav", {**os.environ, ROOT_VARIABLE: str(tiny_root)}
    command = [sys.executable, "-m", "latent_edit", "say", "--text", sentence, "--voice", "ben", "--out", str(path)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (said.stdout, said.stderr) == (f"{path}\n", "")


def test_edit_writes_the_files_and_tells_what_changed(run: Run, tmp_path: Path) -> None:
    out, err = run(*EDIT, "--out", str(tmp_path), "--guidance", "3", "--decode-voice", "ben", "--no-correction")
    names = ["after.wav", "before.wav", "difference.png", "edit.json", "z_edit.png", "z_text.png"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert out.splitlines()[-6:] == [str(tmp_path / name) for name in names]
    assert "Length" in out and "Match" in out
    assert "blorp" in out and not err
    request = json.loads((tmp_path / "edit.json").read_text())["request"]
    assert (request["guidance"], request["steps"], request["decode_voice"], request["seed"]) == (3, 2, "ben", 0)
    assert request["correction"] is False


def test_repeat_gives_the_same_wavs(run: Run, tmp_path: Path) -> None:
    run(*EDIT, "--out", str(tmp_path / "a"), "--seed", "9")
    _, err = run("edit", "--repeat", str(tmp_path / "a" / "edit.json"), "--out", str(tmp_path / "b"))
    assert "may differ" not in err
    for name in ("before.wav", "after.wav"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_repeat_warns_about_other_versions(run: Run, tmp_path: Path) -> None:
    run(*EDIT, "--out", str(tmp_path))
    record = json.loads((tmp_path / "edit.json").read_text())
    record["provenance"]["versions"]["torch"] = "1.0"
    (tmp_path / "edit.json").write_text(json.dumps(record))
    _, err = run("edit", "--repeat", str(tmp_path / "edit.json"), "--out", str(tmp_path / "b"))
    assert "torch was 1.0" in err


def test_bench_times_every_stage(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from latent_edit import bench

    monkeypatch.setattr(bench, "START_UP", "pass")  # the tiny editor of this process stands for a loaded one
    out, _ = run("bench", "--runs", "1", "--out", str(tmp_path / "bench.json"))
    figures = json.loads((tmp_path / "bench.json").read_text())
    assert set(figures["stage_seconds"]) == {
        "text",
        "before",
        "style",
        "time_scaling",
        "bridge",
        "correction",
        "after",
        "measure",
    }
    assert all(seconds > 0 for seconds in figures["stage_seconds"].values())
    assert figures["edit_seconds"] >= sum(figures["stage_seconds"].values()) * 0.5
    assert 10e6 < figures["peak_memory_bytes"] < 100e9
    assert figures["start_up_seconds"] > 0
    assert 0 < figures["page"]["opens_seconds"] < figures["page"]["models_seconds"]
    assert figures["page"]["edit_seconds"] > 0
    assert min(figures[name] for name in ("nearest_voice_seconds", "recording_seconds")) > 0
    shown = (*figures["stage_seconds"], "start-up", "first edit", "with breath", "nearest voice")
    shown += ("a recording", "peak memory", "page opens", "page's models", "edit on page")
    assert all(stage in out for stage in shown)


def test_a_changed_card_is_listed_anew(
    run: Run, tiny_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then its checkpoint is refused, like any that was changed."""
    root = shutil.copytree(tiny_root, tmp_path / "root")
    monkeypatch.setenv(ROOT_VARIABLE, str(root))
    card = root / "vits-mini" / CARD_NAME
    card.write_text(card.read_text(encoding="utf-8") + "More about it.\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match="was changed"):
        verify(card.parent)
    assert run("manifest") == (f"written to {root / MANIFEST_NAME}\n", "")
    verify(card.parent)


@pytest.mark.parametrize("part", ["vits", "breath", "clap", "bridge"])
def test_a_dry_run_shows_the_configuration_and_trains_nothing(run: Run, part: str, tmp_path: Path) -> None:
    import yaml

    out, _ = run("train", part, "--dry-run", "--runs", str(tmp_path / "runs"))
    assert isinstance(yaml.safe_load(out), dict)
    assert not (tmp_path / "runs").exists()


def test_a_recording_is_edited_in_the_nearest_voice(run: Run, tmp_path: Path) -> None:
    clip = tmp_path / "clip.wav"
    soundfile.write(clip, speech_like(1.0), 16_000)
    out = tmp_path / "out"
    _, err = run("edit", "--recording", str(clip), "--prompt", "calm", "--steps", "2", "--out", str(out))
    request = json.loads((out / "edit.json").read_text())["request"]
    assert (request["text"], request["recording"]) == ("", "recording.wav")
    assert f"the nearest voice is {request['voice']}" in err
    assert (out / "recording.wav").is_file()


def test_an_edit_tells_what_was_understood_and_whether_it_came(run: Run, tmp_path: Path) -> None:
    prompt = "agnry, never slow, with zqxv"
    out, _ = run(*EDIT[:5], "--prompt", prompt, "--steps", "2", "--out", str(tmp_path))
    for words in ("Not wanted: slow.", "agnry: read as angry.", "Not understood: zqxv.", "Emotion: anger"):
        assert words in out
    assert all(f"\n{axis.title} " in out for axis in AXES.values())
    assert any(verdict in out for verdict in ("\nAs asked, and the rest left alone.\n", "\nNot all as asked.\n"))
    nothing, _ = run(*EDIT[:5], "--prompt", "zqxv", "--guidance", "0", "--steps", "2", "--out", str(tmp_path))
    assert "\nNothing was asked for" in nothing and "Match" not in nothing


def test_axes_are_set_by_hand(run: Run, tmp_path: Path) -> None:
    axes = ("--axes", "pitch_semitones=2, level_db = -3", "--strength", "0.5")
    out, _ = run(*EDIT, *axes, "--out", str(tmp_path))
    request = json.loads((tmp_path / "edit.json").read_text())["request"]
    assert request["axes"] == {"pitch_semitones": 2.0, "level_db": -3.0}
    (level,) = (line for line in out.splitlines() if line.startswith("Level") and "-1.5 dB" in line)
    assert level.split()[1:3] == ["-1.5", "dB"]


def test_prompts_are_read_without_an_edit(run: Run) -> None:
    out, _ = run("prompts", "loud, never slow, zqxv", "3 semitones lower")
    assert out.startswith("loud, never slow, zqxv\n    ") and "\n3 semitones lower\n    Pitch -3.0 st" in out
    assert all(line in out for line in ("(loud)", "Not wanted: slow.", "Not understood: zqxv."))


def test_a_report_says_of_a_whisper_that_it_has_no_pitch(run: Run, tiny_editor: LatentEditor) -> None:
    del run  # the editor and its weights
    result = tiny_editor.edit(EditRequest("Hello there.", "anna", "a whisper", steps=1))
    whispered = replace(result, measurements_after=Measurements(level_db=-30.0, voiced_share=0.0))
    assert re.search(rf"\nPitch  .*{NO_VOICE}", report(whispered))
