"""The whole suite on one sentence, with the shipped weights: every row is measured, written, and found again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pocketsphinx")
pytest.importorskip("jiwer")
pytest.importorskip("pyworld")
pytest.importorskip("resemblyzer")
pytest.importorskip("speechmos")

from synthetic_speech import speech_like

from latent_edit.axes import AXES
from latent_edit.editor import LatentEditor
from latent_edit.evaluation import cached_scores, suite
from latent_edit.evaluation.fidelity import compare
from latent_edit.evaluation.plan import QUICK
from latent_edit.evaluation.rows import Row
from latent_edit.evaluation.suite import Run, evaluate_embedded, predicted_styles
from latent_edit.judges import naturalness

RATE = 16_000


@pytest.mark.shipped
def test_the_quick_suite(shipped_editor: LatentEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tmp_path / "cache", tmp_path / "README.md", QUICK, workers=2)
    rows = evaluate_embedded(shipped_editor, run, lambda *_: None)
    by_name = {(row.what, row.of): row for row in rows}
    for of in ("presets", "free prompts"):
        assert by_name["style success", of].estimate.value >= 0.75  # of one sentence in one voice
        assert "method world" in by_name["style success", of].beside
    assert sum(what == "style success, each prompt" for what, _ in by_name) == 36
    assert sum(what.startswith("guidance, ") for what, _ in by_name) == 2 * 5
    assert all(row.estimate.value is not None for row in rows)
    text = run.out.read_text(encoding="utf-8")
    assert "Without real recordings" in text and shipped_editor.hashes("i2sb")["bridge"] in text

    def never(*_: object) -> None:
        raise AssertionError("it was judged already")

    for judge in list(cached_scores.JUDGES):
        monkeypatch.setitem(cached_scores.JUDGES, judge, never)
    assert evaluate_embedded(shipped_editor, run, never) == rows
    assert run.out.read_text(encoding="utf-8") == text


def test_words_preserved_can_be_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They take as long as all the rest; their rows stay as they were."""
    asked: list[str] = []

    def part(name: str) -> Callable[..., list[Row]]:
        return lambda *_: asked.append(name) or []

    monkeypatch.setattr(suite, "words_rows", words := part("words"))
    monkeypatch.setattr(suite, "ON_RECORDINGS", (part("voice"), words))
    monkeypatch.setattr(suite, "ON_TEXT", (part("styles"),))
    monkeypatch.setattr(suite, "make_plan", lambda *_: SimpleNamespace(recorded={}, axes={}))
    monkeypatch.setattr(suite, "notes", lambda _: [])
    monkeypatch.setattr(suite.report, "attribute_table", lambda *_: "")
    monkeypatch.setattr(suite, "predicted_styles", lambda _: {})
    monkeypatch.setattr(suite, "editor_code", lambda _: "0" * 32)
    editor: Any = SimpleNamespace(
        methods=["i2sb"], voices=["anna"], style_encoder=None, hashes=lambda _: {"bridge": "0" * 64}
    )
    for preservation, wanted in ((0, ["voice", "styles"]), (1, ["voice", "words", "styles"])):
        asked.clear()
        run = Run(tmp_path / "cache", tmp_path / "README.md", replace(QUICK, preservation=preservation), tmp_path)
        evaluate_embedded(editor, run, lambda *_: None)
        assert asked == 2 * wanted  # which scores are needed, then the rows


@pytest.mark.shipped
def test_the_axis_head_gives_styles_within_their_limits(shipped_editor: LatentEditor) -> None:
    styles = predicted_styles(shipped_editor.style_encoder)
    assert len(styles) == 36
    for style in styles.values():
        assert all(axis.minimum <= getattr(style, name) <= axis.maximum for name, axis in AXES.items())
    assert styles["an angry shout"].level_db > 3 > styles["a whisper"].level_db


def test_a_resynthesis_is_compared_with_its_original() -> None:
    original = speech_like(2.0)
    same = compare(original, original, RATE)
    assert same.log_mel_l1 == 0.0 and same.squared_cents == 0.0 and same.voicing_errors == 0
    higher = compare(original, speech_like(2.0, pitch=140 * 2 ** (1 / 12)), RATE)
    assert np.sqrt(higher.squared_cents / higher.voiced_frames) == pytest.approx(100, abs=15)
    whisper = compare(original, speech_like(2.0, voiced=False), RATE)
    assert whisper.voicing_errors > 0.5 * whisper.speech_frames
    assert whisper.log_mel_l1 > 0.1
    silence = compare(np.zeros(RATE, np.float32), original, RATE)
    assert silence.log_mel_l1 is None and silence.speech_frames == 0


def test_noise_is_heard_as_worse() -> None:
    clean = speech_like(2.0)
    noisy = clean + 0.05 * np.random.default_rng(0).standard_normal(clean.size).astype(np.float32)
    assert 1.0 < naturalness(noisy, RATE) < naturalness(clean, RATE) < 5.0
    assert naturalness(np.zeros(0, np.float32), RATE) is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"suite": "sound"}, "there is no suite 'sound'"),
        ({"suite": "reference-effects"}, "--recordings"),
        ({"suite": "reference-effects", "preservation": 3}, "leave out --quick"),
    ],
)
def test_what_cannot_be_judged_is_said(arguments: dict[str, Any], words: str, tmp_path: Path) -> None:
    from latent_edit.errors import InputError
    from latent_edit.recipes import evaluate

    with pytest.raises(InputError, match=words):
        evaluate(**arguments, runs=tmp_path)
    assert list(tmp_path.iterdir()) == []
