"""Judges are asked once for each content, by any process, and again when anything changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from latent_edit.config import preset_prompts
from latent_edit.data.styles import Style
from latent_edit.errors import InputError
from latent_edit.evaluation import clips as sounds
from latent_edit.evaluation import jury as room
from latent_edit.evaluation.clips import Copied, Edited, Recording, Rendered, Said, Sound
from latent_edit.evaluation.jury import Jury, Question
from latent_edit.evaluation.plan import DEFAULT_GUIDANCE, GUIDANCE, QUICK, Plan, make_plan, sentences
from latent_edit.evaluation.sizes import training_recordings
from latent_edit.measures import Measurements
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


@pytest.fixture(autouse=True)
def judges_that_count(monkeypatch: pytest.MonkeyPatch) -> None:
    rendered.clear()
    monkeypatch.setitem(room.JUDGES, "heard", lambda _, sound: float(sound.samples[0]))
    monkeypatch.setitem(room.JUDGES, "natural", lambda _, sound: sound.rate)
    monkeypatch.setitem(room.JUDGES, "fidelity", lambda _, one, two: float(one.samples[0] - two.samples[0]))


def editor(name: str = "one") -> Any:
    return SimpleNamespace(name=name, style_encoder=SimpleNamespace(hash="clap"))


def test_an_answer_is_kept_by_content(tmp_path: Path) -> None:
    first = Jury(editor(), tmp_path)
    assert first.ask("heard", Tone("ab")) == pytest.approx(0.2)
    assert Jury(editor(), tmp_path).ask("heard", Tone("ab")) == pytest.approx(0.2)
    assert rendered == ["ab"]
    Jury(editor("other weights"), tmp_path).ask("heard", Tone("ab"))
    assert rendered == ["ab", "ab"]
    assert not list(tmp_path.glob("*.partial"))


def test_several_judges_hear_the_clip_that_was_made_once(tmp_path: Path) -> None:
    questions = [Question(judge, (Tone(text),)) for text in ("a", "bb") for judge in ("heard", "natural")]
    told: list[tuple[int, int]] = []
    jury = Jury(editor(), tmp_path)
    jury.prepare([*questions, *questions], lambda done, every: told.append((done, every)))
    assert rendered == ["a", "bb"]
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]
    jury.prepare([*questions, Question("fidelity", (Tone("bb"), Tone("a")))], lambda *_: None)
    assert jury.ask("fidelity", Tone("bb"), Tone("a")) == pytest.approx(0.1)
    assert jury.ask("fidelity", Tone("a"), Tone("bb")) == pytest.approx(-0.1)


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    questions = [Question("heard", (Tone("x" * n),)) for n in range(1, 5)]

    def stop(done: int, _: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Jury(editor(), tmp_path).prepare(questions, stop)
    Jury(editor(), tmp_path).prepare(questions, lambda *_: None)
    assert rendered == ["x", "xx", "xxx", "xxxx"]
    monkeypatch.setattr(room, "code_hash", lambda *_: "another way of judging")
    Jury(editor(), tmp_path).ask("heard", Tone("x"))
    assert rendered[4:] == ["x"]


def test_what_code_does_counts_and_not_how_it_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latent_edit.__file__", str(tmp_path / "__init__.py"))
    (tmp_path / "models").mkdir()
    whole, part = tmp_path / "reading.py", tmp_path / "models" / "voice.py"

    def hash_of(one: str, other: str) -> str:
        whole.write_text(one)
        part.write_text(other)
        sounds.code_hash.cache_clear()
        return sounds.code_hash("reading", "models")

    known = hash_of("def read():\n    return 1\n", "x = 2\n")
    assert hash_of('"""Words."""\n\ndef read():\n    """More."""\n    return 1  # why\n', "x = 2\n") == known
    assert hash_of("def read():\n    return 2\n", "x = 2\n") != known
    assert hash_of("def read():\n    return 1\n", "x = 3\n") != known
    sounds.code_hash.cache_clear()


def test_clips_of_a_real_editor(tiny_editor: Any, tmp_path: Path) -> None:
    import soundfile
    from synthetic_speech import speech_like

    pytest.importorskip("pyworld")
    path = tmp_path / "one.wav"
    soundfile.write(path, speech_like(1.0), RATE)
    recording, said = Recording(path, "anna", "Hello."), Said("Hello.", "anna", 3)
    edit = Edited(EditRequest(text="Hello.", voice="anna", prompt="angry", seed=3))
    assert edit.before == said
    clips = [
        recording,
        said,
        edit,
        Copied(recording),
        Rendered(recording, Style()),
        Rendered(recording, Style(level_db=3)),
        Copied(recording, refined=False),
        Edited(replace(edit.request, landing=False)),
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
    assert isinstance(Jury(tiny_editor, tmp_path / "cache").measured(said), Measurements)


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


def test_the_plan_asks_for_everything_that_is_shown() -> None:
    plan = make_plan(["anna", "ben"], QUICK, None, {})
    questions = plan.questions()
    edits = {clip for question in questions for clip in question.clips if isinstance(clip, Edited)}
    assert {edit.request.prompt for edit in edits if edit.request.guidance == DEFAULT_GUIDANCE} == set(plan_prompts())
    assert {edit.voice for edit in edits} == {"anna"}
    assert {edit.request.guidance for edit in edits} == {*GUIDANCE, DEFAULT_GUIDANCE}
    assert {edit.request.prompt for edit in edits if not edit.request.landing} == set(plan_prompts())


def test_words_are_counted_on_further_recordings() -> None:
    """Those of the edits' sentences come first, none comes twice, and all four clips of each are heard."""
    first = sentences("anna")[0]
    again, further, beyond = (Recording(Path(text), "anna", text) for text in (first, "Another sentence.", "A third."))
    recorded = {"anna": (again, further, beyond)}
    plan = Plan(("anna",), replace(QUICK, kept=2), recorded, {("anna", first): again}, {})
    kept = list(plan.kept("a whisper"))
    assert [recording for _, recording, _ in kept] == [again, further]
    heard = {question.clips[0] for question in plan.questions() if question.judge == "heard"}
    assert all({edit.before, edit, recording, rendition} <= heard for edit, recording, rendition in kept)


def test_another_method_is_judged_on_the_same_readings() -> None:
    plan = make_plan(["anna"], QUICK, None, {}, ["palette"])
    asked = {(q.judge, q.clips[0].request.prompt) for q in plan.questions() if _method_of(q.clips[0]) == "palette"}
    assert asked == {(judge, prompt) for judge in ("measured", "heard", "natural") for prompt in preset_prompts()}
    for default, other in plan.compared("a whisper", "palette"):
        assert isinstance(other, Edited) and default.before == other.before and default != other


def _method_of(clip: Any) -> str | None:
    return clip.request.method if isinstance(clip, Edited) else None


def plan_prompts() -> list[str]:
    from latent_edit.evaluation.moves import judged_styles

    return list(judged_styles())
