"""Whatever a person gives that cannot be used: one line that names it and says what to do, in Python and on the command
line (exit code 2, nothing else on stderr)."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from synthetic_speech import speech_like

from latent_edit import EditRequest, LatentEditor
from latent_edit.checkpoint import ROOT_VARIABLE
from latent_edit.cli import main
from latent_edit.errors import CheckpointError, InputError

RunCli = Callable[..., tuple[int, str, str]]
GOOD = {"--text": "Hello there.", "--voice": "anna", "--prompt": "an angry shout", "--steps": "2"}


@pytest.fixture
def run_cli(
    tiny_root: Path, tiny_editor: LatentEditor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RunCli:
    """Run the command line here; returns exit code, stdout, stderr. The editor is loaded once for all."""
    monkeypatch.setenv(ROOT_VARIABLE, str(tiny_root))
    monkeypatch.setattr(LatentEditor, "load", lambda: tiny_editor)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["latent_edit", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        output = capsys.readouterr()
        return int(caught.value.code or 0), output.out, output.err

    return run


def edit(run_cli: RunCli, out: Path, **changes: str | None) -> tuple[int, str, str]:
    options = {**GOOD, "--out": str(out), **{f"--{k.replace('_', '-')}": v for k, v in changes.items()}}
    return run_cli("edit", *(x for name, value in options.items() if value is not None for x in (name, value)))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"text": ""}, "the text is empty"),
        ({"text": "   "}, "the text is empty"),
        ({"text": "?!..."}, "nothing in the text can be pronounced"),
        ({"text": "\u2014 \u2026 \u200b"}, "nothing in the text can be pronounced"),
        ({"text": "a" * 2001}, "has 2001 characters; the limit is 2000"),
        ({"text": None}, "--text is missing"),
        ({"voice": None}, "--voice is missing"),
        ({"prompt": ""}, "the prompt is empty"),
        ({"prompt": None}, "the prompt is empty"),
        ({"prompt": "b" * 301}, "has 301 characters; the limit is 300"),
        ({"voice": "ana"}, "there is no voice 'ana'; did you mean 'anna'? known: anna, ben"),
        ({"decode_voice": "bean"}, "there is no voice 'bean'; did you mean 'ben'?"),
        ({"method": "i2s"}, "there is no method 'i2s'; did you mean 'i2sb'? known: i2sb, palette"),
        ({"guidance": "11"}, "guidance must be a number from 0 to 10"),
        ({"guidance": "-1"}, "guidance must be"),
        ({"guidance": "nan"}, "guidance must be"),
        ({"strength": "2"}, "strength must be a number from 0 to 1.5"),
        ({"strength": "inf"}, "strength must be"),
        ({"steps": "0"}, "steps must be a whole number from 1 to 100"),
        ({"steps": "1000"}, "steps must be"),
        ({"pace": "3"}, "pace must be a number from 0.5 to 2"),
        ({"seed": "-1"}, "seed must be"),
        ({"axes": "pitch_semitones"}, 'axes must be like "pitch_semitones=2, level_db=-3", not'),
        ({"axes": ""}, "axes must be like"),
        ({"axes": "pitch_semitone=2"}, "there is no axis 'pitch_semitone'; did you mean 'pitch_semitones'?"),
        ({"axes": "pitch_semitones=99"}, "the axis pitch_semitones must be a number from -12 to 12"),
        ({"axes": "level_db=nan"}, "the axis level_db must be a number"),
        ({"repeat": "edit.json"}, "leave out --text"),
    ],
)
def test_bad_options(run_cli: RunCli, tmp_path: Path, changes: dict[str, str | None], complaint: str) -> None:
    code, out, err = edit(run_cli, tmp_path / "out", **changes)
    assert (code, out) == (2, "")
    assert complaint in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_number_too_large_for_a_computer_is_refused() -> None:
    for value in (10**400, float("inf"), float("nan")):
        with pytest.raises(InputError, match="guidance must be a number from 0 to 10"):
            EditRequest("Hello.", "anna", "calm", guidance=value)


@pytest.mark.parametrize("value", ["2.5", "ten"])
def test_what_is_no_whole_number_is_refused(run_cli: RunCli, tmp_path: Path, value: str) -> None:
    code, _, err = edit(run_cli, tmp_path / "out", steps=value)
    assert code == 2
    assert "--steps" in err
    assert "Traceback" not in err


def tone(rate: int, seconds: float, channels: int = 1) -> np.ndarray:
    wave = 0.3 * np.sin(2 * np.pi * 220 * np.arange(int(rate * seconds)) / rate)
    return np.stack([wave * (1 - 0.5 * c) for c in range(channels)], axis=1)


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 2), (8_000, 1), (96_000, 1), (44_100, 6)])
def test_stereo_and_other_rates_just_work(tiny_editor: LatentEditor, tmp_path: Path, rate: int, channels: int) -> None:
    soundfile.write(tmp_path / "clip.wav", np.stack([speech_like(1.0, rate)] * channels, axis=1), rate)
    result = tiny_editor.edit(EditRequest("Hello.", "anna", reference=tmp_path / "clip.wav", steps=2))
    assert result.reference is not None
    assert result.reference.samples.shape == (1, 16_000)
    assert result.style_similarity_after is not None


def nothing(path: Path) -> None:
    """A file that is not there."""


def no_bytes(path: Path) -> None:
    path.write_bytes(b"")


def no_samples(path: Path) -> None:
    soundfile.write(path, np.zeros(0), 16_000)


def silence(path: Path) -> None:
    soundfile.write(path, np.zeros(16_000), 16_000)


def constant(path: Path) -> None:
    soundfile.write(path, np.full(16_000, 0.5), 16_000)


def text(path: Path) -> None:
    path.write_text("this is not audio, whatever its name says")


def damaged(path: Path) -> None:
    soundfile.write(path, tone(16_000, 1.0), 16_000, format="FLAC")
    content = bytearray(path.read_bytes())
    content[: len(content) // 2] = bytes(len(content) // 2)
    path.write_bytes(content)


def with_nan(path: Path) -> None:
    wave = tone(16_000, 1.0)
    wave[100] = np.nan
    soundfile.write(path, wave, 16_000, subtype="FLOAT")


def ten_minutes(path: Path) -> None:
    soundfile.write(path, tone(8_000, 600.0), 8_000)


def too_short(path: Path) -> None:
    soundfile.write(path, tone(16_000, 0.01), 16_000)


def folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (nothing, "there is no audio file"),
        (no_bytes, "is empty"),
        (no_samples, "is empty"),
        (silence, "is silent"),
        (constant, "is silent"),
        (text, "cannot read"),
        (damaged, "cannot read"),
        (with_nan, "not numbers"),
        (ten_minutes, "lasts 600 seconds; the limit is 30"),
        (too_short, "at least 0.1 seconds"),
        (folder, "is a folder"),
    ],
)
def test_bad_reference_clips(run_cli: RunCli, tmp_path: Path, make: Callable[[Path], None], complaint: str) -> None:
    path = tmp_path / "clip.wav"
    make(path)
    code, out, err = edit(run_cli, tmp_path / "out", prompt=None, reference=str(path))
    assert (code, out) == (2, "")
    assert complaint in err
    assert "clip.wav" in err
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_a_prompt_and_a_reference_are_one_too_many(run_cli: RunCli, tmp_path: Path) -> None:
    code, _, err = edit(run_cli, tmp_path / "out", reference="clip.wav")
    assert code == 2
    assert "give one of the two" in err


@pytest.mark.parametrize("name", ["vits-mini", "clap-mini", "bridge-i2sb"])
@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_tampered_weights_are_refused(tiny_root: Path, tmp_path: Path, name: str, file: str) -> None:
    root = tmp_path / "root"
    shutil.copytree(tiny_root, root)
    path = root / name / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=f"{name}/{file} was changed"):
        LatentEditor.load(root)
    path.unlink()
    with pytest.raises(CheckpointError, match=f"{name}/{file} is missing"):
        LatentEditor.load(root)


@pytest.mark.parametrize("name", ["vits-mini", "clap-mini"])
def test_missing_checkpoints_are_named(tiny_root: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(tiny_root, tmp_path / "root")
    shutil.rmtree(tmp_path / "root" / name)
    with pytest.raises(CheckpointError, match=f"{name} is missing; get the weights again"):
        LatentEditor.load(tmp_path / "root")


def test_an_output_folder_that_cannot_be_written(run_cli: RunCli, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    code, out, err = edit(run_cli, blocked)
    assert (code, out) == (2, "")
    assert f"cannot write into {blocked}" in err
    assert err.count("\n") == 1
    code, _, err = run_cli("say", "--text", "Hi.", "--voice", "anna", "--out", str(blocked / "a" / "b.wav"))
    assert code == 2
    assert err.count("\n") == 1


def test_the_whole_program_shows_no_traceback(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "latent_edit", "say", "--text", "Hi.", "--voice", "anna", "--out", "a.wav"]
    environment = {"PATH": "", ROOT_VARIABLE: str(tmp_path), "PYTHONPATH": str(Path(__file__).parent.parent)}
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("error: the checkpoint ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("value", ["Hello\x00there", "Hello \u202e there \u200d"])
def test_odd_characters_do_no_harm(tiny_editor: LatentEditor, tmp_path: Path, value: str) -> None:
    result = tiny_editor.edit(EditRequest(value, "anna", "calm", steps=2))
    result.save(tmp_path)
    assert EditRequest.from_json(tmp_path / "edit.json") == result.request


def test_say_checks_its_input_too(tiny_editor: LatentEditor) -> None:
    for arguments, complaint in ((("", "anna"), "empty"), (("Hi.", "zoe"), "no voice"), (("Hi.", "anna", -1), "seed")):
        with pytest.raises(InputError, match=complaint):
            tiny_editor.say(*arguments)  # type: ignore[arg-type]
