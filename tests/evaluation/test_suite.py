"""The whole suite on one sentence, with the shipped weights: every row is measured, written, and found again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
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
from latent_edit.evaluation import cached_scores, controls, plan, robustness, style_success, suite
from latent_edit.evaluation.effects import judged_styles
from latent_edit.evaluation.fidelity import compare
from latent_edit.evaluation.plan import QUICK
from latent_edit.evaluation.preservation import words_rows
from latent_edit.evaluation.suite import Run, evaluate_embedded, predicted_styles
from latent_edit.judges import naturalness

RATE = 16_000


@pytest.fixture
def few_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    """One preset and one other: the suite takes minutes with all of them."""
    prompts: dict[str, Any] = {
        "presets": lambda: {"an angry shout": "an angry shout"},
        "paraphrases": lambda _: {"could you sound loud and male": "could you sound loud and male"},
        "new_prompts": lambda _: {"could you sound loud and male": "could you sound loud and male"},
    }
    for module in (plan, controls, robustness, style_success, suite):
        for name, chosen in prompts.items():
            if hasattr(module, name):
                monkeypatch.setattr(module, name, chosen)


@pytest.mark.shipped
@pytest.mark.usefixtures("few_prompts")
def test_the_suite(shipped_editor: LatentEditor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = replace(QUICK, sentences=1, presets=1, voices=1)
    run = Run(tmp_path / "cache", tmp_path / "docs" / "RESULTS.md", tmp_path, sizes, workers=2)
    monkeypatch.setattr(robustness, "GUIDANCE", (1.0,))
    rows = evaluate_embedded(shipped_editor, run, lambda *_: None)
    by_name = {(row.what, row.of): row for row in rows}
    judged = {of for what, of in by_name if what == "success, presets"}
    assert judged >= {"bridge alone", "correction alone", "identity", "WORLD, open loop"}
    assert by_name["words lost (pocketsphinx)", "identity"].estimate.value == 0.0
    assert by_name["success, presets", "identity"].estimate.value == 0.0
    assert all(row.estimate.value is not None for row in rows)
    text = run.results.read_text(encoding="utf-8")
    assert "Without real recordings" in text and shipped_editor.hashes("i2sb")["bridge"] in text

    def never(module: str) -> Callable[..., None]:
        def judge(*_: object) -> None:
            raise AssertionError("it was judged already")

        judge.__module__ = module
        return judge

    for name, judge in list(cached_scores.JUDGES.items()):
        monkeypatch.setitem(cached_scores.JUDGES, name, never(judge.__module__))
    assert evaluate_embedded(shipped_editor, run, never("")) == rows
    assert run.results.read_text(encoding="utf-8") == text


def test_parts_that_need_what_was_not_given_are_left_out(tmp_path: Path) -> None:
    run = Run(tmp_path, tmp_path, tmp_path, QUICK)
    on_text = set(suite.ON_TEXT)
    assert on_text < set(suite._parts(run)) and not set(suite.ON_RECORDINGS) & set(suite._parts(run))
    whole = replace(run, recordings=tmp_path)
    assert set(suite.ON_RECORDINGS) <= set(suite._parts(whole))
    assert words_rows not in suite._parts(replace(whole, sizes=replace(QUICK, preservation=0)))
    assert not set(suite.ON_RECORDINGS) & set(suite._parts(replace(whole, split="test")))


@pytest.mark.shipped
def test_the_axis_head_gives_styles_within_their_limits(shipped_editor: LatentEditor) -> None:
    styles = predicted_styles(shipped_editor.style_encoder, list(judged_styles()))
    assert len(styles) == len(judged_styles())
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
        ({"suite": "reference-effects", "preservation": 3}, "--preservation is for .*: leave it out"),
    ],
)
def test_what_cannot_be_judged_is_said(arguments: dict[str, Any], words: str, tmp_path: Path) -> None:
    from latent_edit.errors import InputError
    from latent_edit.suites import evaluate

    with pytest.raises(InputError, match=words):
        evaluate(**arguments, runs=tmp_path)
    assert list(tmp_path.iterdir()) == []
