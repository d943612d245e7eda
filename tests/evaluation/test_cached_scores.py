"""Scores are computed once for each content, and again when anything that they depend on changes."""

from __future__ import annotations

import json
import sqlite3
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from latent_edit.config import preset_prompts
from latent_edit.data.styles import Style
from latent_edit.errors import InputError
from latent_edit.evaluation import cached_scores
from latent_edit.evaluation.cached_scores import CachedScores, ScoreKey, ScoreList
from latent_edit.evaluation.clips import Edit, PlainSynthesis, Recording, Resynthesis, Sound, WorldEdit, editor_code
from latent_edit.evaluation.plan import (
    DEFAULT_GUIDANCE,
    GUIDANCE,
    QUICK,
    Plan,
    make_plan,
    new_prompts,
    paraphrases,
    presets,
    sentences,
)
from latent_edit.evaluation.preservation import words_rows
from latent_edit.evaluation.reference_effects import training_recordings
from latent_edit.evaluation.robustness import robustness_rows
from latent_edit.evaluation.style_success import neutral_rows, prompt_rows, success_rows
from latent_edit.measures import Measurements
from latent_edit.prompts.reading import AskedAxis, PromptReading
from latent_edit.request import EditRequest

RATE = 16_000
rendered: list[str] = []


@dataclass(frozen=True)
class Tone:
    """A clip of `text`; counts how often it is made."""

    text: str
    voice: str = "anna"

    def identity(self, editor: Any) -> list[Any]:
        return ["tone", self.text, editor.name]

    def render(self, editor: Any) -> Sound:  # noqa: ARG002
        rendered.append(self.text)
        return Sound(np.full(RATE, 0.1 * len(self.text), dtype=np.float32), RATE)


def loudest(samples: np.ndarray, rate: int) -> float:
    assert rate == RATE
    return float(samples.max())


def louder(first: np.ndarray, second: np.ndarray, rate: int) -> float:
    return loudest(first, rate) - loudest(second, rate)


def nothing(samples: np.ndarray, rate: int) -> None:
    assert samples.size == rate


@pytest.fixture(autouse=True)
def judges_of_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered.clear()
    for name, judge in (("pocketsphinx", loudest), ("dnsmos", nothing), ("fidelity", louder)):
        judge.__module__ = "latent_edit.measures"  # code that can be hashed
        monkeypatch.setitem(cached_scores.JUDGES, name, judge)


def editor(name: str = "one") -> Any:
    return SimpleNamespace(name=name, style_encoder=SimpleNamespace(hash="clap"))


def test_a_score_is_cached_by_content(tmp_path: Path) -> None:
    first = CachedScores(editor(), tmp_path)
    assert first.score("pocketsphinx", Tone("ab")) == pytest.approx(0.2)
    assert CachedScores(editor(), tmp_path).score("pocketsphinx", Tone("ab")) == pytest.approx(0.2)
    assert rendered == ["ab"]
    CachedScores(editor("other weights"), tmp_path).score("pocketsphinx", Tone("ab"))
    assert rendered == ["ab", "ab"]


def test_not_measured_is_a_score_as_well(tmp_path: Path) -> None:
    for _ in range(2):
        assert CachedScores(editor(), tmp_path).score("dnsmos", Tone("ab")) is None
    assert rendered == ["ab"]


def test_nothing_is_pickled(tmp_path: Path) -> None:
    """Reading a cache of somebody else must not execute anything."""
    scores = CachedScores(editor(), tmp_path)
    scores.score("pocketsphinx", Tone("ab"))
    rows = sqlite3.connect(tmp_path / "cache.db").execute("SELECT key, mode, value FROM Cache").fetchall()
    assert len(rows) == 1
    assert json.loads(zlib.decompress(rows[0][2])) == pytest.approx(0.2)


def test_several_judges_score_the_clip_that_was_made_once(tmp_path: Path) -> None:
    keys = [ScoreKey(judge, (Tone(text),)) for text in ("a", "bb") for judge in ("pocketsphinx", "dnsmos")]
    told: list[tuple[int, int]] = []
    scores = CachedScores(editor(), tmp_path)
    scores.compute([*keys, *keys], lambda done, every: told.append((done, every)))
    assert rendered == ["a", "bb"]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    scores.compute([*keys, ScoreKey("fidelity", (Tone("bb"), Tone("a")))], lambda *_: None)
    assert scores.score("fidelity", Tone("bb"), Tone("a")) == pytest.approx(0.1)
    assert scores.score("fidelity", Tone("a"), Tone("bb")) == pytest.approx(-0.1)


@pytest.mark.parametrize("changed", ["code_hash", "package_versions"])
def test_an_interrupted_run_goes_on(changed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [ScoreKey("pocketsphinx", (Tone("x" * n),)) for n in range(1, 5)]

    def stop(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        CachedScores(editor(), tmp_path).compute(keys, stop)
    CachedScores(editor(), tmp_path).compute(keys, lambda *_: None)
    assert rendered == ["x", "xx", "xxx", "xxxx"]
    monkeypatch.setattr(cached_scores, changed, lambda _: "another")
    CachedScores(editor(), tmp_path).score("pocketsphinx", Tone("x"))
    assert rendered[4:] == ["x"]


def test_the_scores_that_rows_need_are_listed_without_computing_any() -> None:
    needed = ScoreList(editor())
    for judge in ("pocketsphinx", "dnsmos"):
        for text in ("a", "bb", "a"):
            needed.score(judge, Tone(text))
    needed.measurements(Tone("a"))
    assert rendered == []
    assert [(key.judge, key.clips[0].text) for key in needed.keys] == [
        ("pocketsphinx", "a"), ("dnsmos", "a"), ("measurements", "a"), ("pocketsphinx", "bb"), ("dnsmos", "bb"),
    ]  # fmt: skip


def test_the_prompt_reader_counts_by_what_it_says_of_judged_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latent_edit.evaluation.clips.judged_prompts", lambda: ["a whisper", "loud"])

    def code(**changed: Any) -> str:
        class Reads:
            __module__ = "latent_edit.editor"

            def read_prompt(self, prompt: str) -> PromptReading:
                axes = (AskedAxis("level_db", 7.0 if prompt == "loud" else 0.0),)
                return replace(PromptReading(prompt, prompt, axes), **changed)

        return editor_code(Reads())  # type: ignore[arg-type]

    assert code(notes=("Said otherwise.",), denied=("shouted",)) == code()
    assert (
        len({code(), code(manner="sad"), code(text="spoken"), code(axes=(AskedAxis("level_db", 7.0, exact=True),))})
        == 4
    )


def test_clips_of_a_real_editor(tiny_editor: Any, tmp_path: Path) -> None:
    import soundfile
    from synthetic_speech import speech_like

    pytest.importorskip("pyworld")
    path = tmp_path / "one.wav"
    soundfile.write(path, speech_like(1.0), RATE)
    recording, said = Recording(path, "anna", "Hello."), PlainSynthesis("Hello.", "anna", 3)
    edit = Edit(EditRequest(text="Hello.", voice="anna", prompt="angry", seed=3))
    assert edit.before == said
    clips = [
        recording,
        said,
        edit,
        Resynthesis(recording),
        WorldEdit(recording, Style()),
        WorldEdit(recording, Style(level_db=3)),
        Resynthesis(recording, inverted=False),
        Edit(replace(edit.request, correction=False)),
    ]
    identities = [str(clip.identity(tiny_editor)) for clip in clips]
    assert len(set(identities)) == len(clips)
    sounds = [clip.render(tiny_editor) for clip in clips]
    assert all(sound.rate == RATE and sound.samples.dtype == np.float32 for sound in sounds)
    result = tiny_editor.edit(edit.request)
    assert np.array_equal(sounds[1].samples, result.before.item(0).numpy())
    assert np.array_equal(sounds[2].samples, result.after.item(0).numpy())
    louder = np.sqrt(np.mean(sounds[5].samples ** 2) / np.mean(sounds[4].samples ** 2))
    assert 20 * np.log10(louder) == pytest.approx(3.0, abs=0.1)
    path.write_bytes(path.read_bytes() + b"more")
    assert isinstance(CachedScores(tiny_editor, tmp_path / "cache").measurements(said), Measurements)


def test_a_corpus_of_other_voices_is_refused(tmp_path: Path) -> None:
    """Before anything that was measured with the right one is replaced by nothing."""
    lines = "".join(f"{n}.wav,carl,Sentence number {n}.\n" for n in range(100))
    (tmp_path / "manifest.csv").write_text(f"file,speaker,text\n{lines}", encoding="utf-8")
    for measure in (
        lambda: make_plan(["anna", "ben"], QUICK, tmp_path, {}),
        lambda: training_recordings(tmp_path, ["anna", "ben"]),
    ):
        with pytest.raises(InputError, match="recording by anna"):
            measure()


def keys_of(plan: Plan, *parts: Any) -> list[ScoreKey]:
    needed = ScoreList(editor())
    for part in parts:
        part(needed, plan)
    return needed.keys


def test_every_prompt_and_every_system_is_judged() -> None:
    plan = make_plan(["anna", "ben"], QUICK, None, {}, ["i2sb", "palette"])
    edits = {
        clip.request
        for key in keys_of(plan, success_rows, prompt_rows, neutral_rows, robustness_rows)
        for clip in key.clips
        if isinstance(clip, Edit)
    }
    default = [r for r in edits if r.guidance == DEFAULT_GUIDANCE and r.correction and r.method == "i2sb"]
    assert {r.prompt for r in default} == {*preset_prompts(), *paraphrases("development"), *new_prompts("development")}
    assert {r.guidance for r in edits} == {*GUIDANCE, DEFAULT_GUIDANCE}
    for other in ({"method": "palette"}, {"correction": False}, {"steps": 1}):
        own = {r.prompt for r in edits if all(getattr(r, name) == value for name, value in other.items())}
        assert own >= set(presets())


def test_words_are_counted_on_further_recordings() -> None:
    """Those of the edits' sentences come first, none comes twice, and all four clips of each are transcribed."""
    first = sentences("anna")[0]
    again, further, beyond = (Recording(Path(text), "anna", text) for text in (first, "Another sentence.", "A third."))
    recorded = {"anna": (again, further, beyond)}
    plan = Plan(("anna",), replace(QUICK, preservation=2), recorded, {("anna", first): again}, {})
    found = list(plan.preservation_edits("a whisper"))
    assert [recording for _, recording, _ in found] == [again, further]
    transcribed = {key.clips[0] for key in keys_of(plan, words_rows) if key.judge == "pocketsphinx"}
    assert all({edit.before, edit, recording, control} <= transcribed for edit, recording, control in found)
