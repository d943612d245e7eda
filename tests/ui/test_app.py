"""Flags of app.py."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from app import EXAMPLES, main, parse_arguments, start_on_zero_gpu
from latent_edit.config import read_yaml
from latent_edit.request import check_text


def test_without_flags_gradio_decides() -> None:
    options = parse_arguments([])
    assert (options.host, options.port, options.share, options.auth_file) == (None, None, None, None)
    assert options.max_queue >= 8


def test_flags_are_taken() -> None:
    options = parse_arguments(["--host", "0.0.0.0", "--port", "7000", "--share", "--max-queue", "3"])
    assert (options.host, options.port, options.share, options.max_queue) == ("0.0.0.0", 7000, True, 3)


def test_accounts_are_read(tmp_path: Path) -> None:
    file = tmp_path / "accounts"
    file.write_text("# who may come in\nana:one:two\n\nbo : three\n", encoding="utf-8")
    assert parse_arguments(["--auth-file", str(file)]).auth_file == [("ana", "one:two"), ("bo", " three")]


@pytest.mark.parametrize(
    ("content", "words"),
    [("ana\n", "line 1"), ("ana:\n", "line 1"), ("# none\n", "no accounts"), (None, "cannot read")],
)
def test_bad_accounts_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None, words: str
) -> None:
    file = tmp_path / "accounts"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit) as caught:
        parse_arguments(["--auth-file", str(file)])
    assert caught.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "flags", [["--port", "0"], ["--port", "70000"], ["--port", "x"], ["--max-queue", "-1"], ["--nonsense"]]
)
def test_bad_flags_are_refused(flags: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_arguments(flags)
    assert caught.value.code == 2


def test_zero_gpu_finds_a_function_and_other_places_need_none(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[object] = []
    monkeypatch.setitem(sys.modules, "spaces", SimpleNamespace(GPU=found.append))
    start_on_zero_gpu()
    assert len(found) == 1 and callable(found[0])
    monkeypatch.setitem(sys.modules, "spaces", None)  # as if it were not installed
    start_on_zero_gpu()
    assert len(found) == 1


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SystemExit, match=str(port)):
            main(["--port", str(port)], load=lambda: pytest.fail("nothing may be loaded"))
    assert "Traceback" not in capsys.readouterr().err


def test_help_is_quick_and_complete() -> None:
    code = "import sys, app\ntry: app.main(['--help'])\nexcept SystemExit: print('gradio' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], cwd=EXAMPLES.parents[1], capture_output=True, text=True)
    assert shown.stdout.strip().endswith("False")
    for flag in ("--host", "--port", "--share", "--max-queue", "--auth-file"):
        assert flag in shown.stdout


def test_examples_can_be_said() -> None:
    examples = read_yaml(EXAMPLES)
    assert len(examples) >= 5
    assert len(set(examples)) == len(examples)
    for example in examples:
        check_text(example)


def test_a_study_takes_the_place_of_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert parse_arguments([]).study is None
    monkeypatch.setenv("LATENT_EDIT_STUDY", str(tmp_path))
    assert parse_arguments([]).study == tmp_path
    with pytest.raises(SystemExit, match="no study file"):
        main([], load=lambda: pytest.fail("nothing may be loaded"))
