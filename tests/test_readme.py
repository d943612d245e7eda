"""The examples of README.md and docs/ run: Python blocks and commands for real, in the order in which one reads."""

from __future__ import annotations

import itertools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from latent_edit.cli import main

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
START = "pip install -r requirements.txt && python app.py"
TESTS = "pip install -r requirements.txt -r requirements-dev.txt && pytest"
EDITOR = "python -m latent_edit "


def blocks(language: str) -> list[str]:
    """Contents of the fenced blocks in that language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Every line of the bash blocks; lines that end in a backslash are joined with the next."""
    lines = [line.strip() for block in blocks("bash") for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def is_shown_only(command: str) -> bool:
    """What takes a corpus and hours, and the example study, which takes minutes: options are checked instead."""
    words = command.removeprefix(EDITOR).split()
    suite = words[0] == "evaluate" and "--suite" in words
    return words[0] in ("prepare", "train") or suite or (words[0] == "listening" and "edits-study" in words)


Ask = Callable[[list[str]], str]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command of ours that succeeds, in this process and an empty folder; returns what it prints."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def answer(command: list[str]) -> str:
        monkeypatch.setattr(sys, "argv", command)
        with pytest.raises(SystemExit) as caught:
            main()
        output = capsys.readouterr()
        assert not caught.value.code, f"{shlex.join(command)}\n{output.err}"
        return output.out

    return answer


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run in `folder` as a reader would in the repository; the hub is switched off."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)


def plain(command: list[str]) -> list[str]:
    """What comes before the first option of a command."""
    return list(itertools.takewhile(lambda word: not word.startswith("--"), command))


def unknown_options(command: list[str], help_text: str) -> list[str]:
    """Options of a command that do not stand in its help."""
    return [word for word in command if word.startswith("--") and word.split("=")[0] not in help_text]


def test_every_command_is_known() -> None:
    """A new kind of command in these pages needs a test here."""
    found = commands()
    assert {START, TESTS} <= set(found)
    assert [x for x in found if x not in (START, TESTS) and not x.startswith((EDITOR, "hf ", "curl "))] == []


def test_start_command_parses() -> None:
    result = run([sys.executable, str(ROOT / "app.py"), "--help"], ROOT)
    assert result.returncode == 0, result.stderr
    assert "--port" in result.stdout


def test_test_command_finds_the_tests(pytestconfig: pytest.Config) -> None:
    """What the second command runs is this folder: pytest collects from `tests` without further arguments."""
    assert pytestconfig.getini("testpaths") == [Path(__file__).parent.name]
    for name in re.findall(r"-r (\S+)", TESTS):
        assert (ROOT / name).is_file()


@pytest.mark.parametrize("command", [x for x in commands() if x.startswith(EDITOR) and is_shown_only(x)])
def test_long_commands_have_valid_options(command: str, ask: Ask, tmp_path: Path) -> None:
    arguments = shlex.split(command.removeprefix("python -m "), comments=True)
    assert unknown_options(arguments, ask([*plain(arguments), "--help"])) == []
    if "train" in arguments:
        assert "steps" in ask([*arguments, "--dry-run"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [x for x in commands() if x.startswith("hf ")])
def test_hub_commands_have_valid_options(command: str, tmp_path: Path) -> None:
    arguments = [str(Path(sys.executable).parent / "hf"), *shlex.split(command)[1:]]
    result = run([*plain(arguments), "--help"], tmp_path)
    assert result.returncode == 0, f"{command}: no such command\n{result.stderr}"
    assert unknown_options(arguments, result.stdout) == []


@pytest.mark.shipped
def test_commands_run(tmp_path: Path) -> None:
    """In one folder and in order: later commands use files of earlier ones."""
    for command in [x for x in commands() if x.startswith(EDITOR) and not is_shown_only(x)]:
        fewer = ["--runs", "1"] if command.endswith(" bench") else []  # the median of five says nothing here
        result = run([sys.executable, *shlex.split(command)[1:], *fewer], tmp_path)
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
        assert result.stdout.strip(), command
    names = {"before.wav", "after.wav", "z_text.png", "z_edit.png", "difference.png", "edit.json"}
    assert names <= {path.name for path in (tmp_path / "out").iterdir()}
    for name in ("before.wav", "after.wav"):  # "--repeat makes the same edit again"
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


@pytest.mark.shipped
@pytest.mark.parametrize("block", [x for x in blocks("python") if "gradio_client" not in x])  # see ui/test_client.py
def test_python_blocks_run(block: str, tmp_path: Path) -> None:
    result = run([sys.executable, "-c", block], tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()
