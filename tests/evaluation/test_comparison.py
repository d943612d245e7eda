"""Figures of several systems on the same trials, with paired differences."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest

from latent_edit.evaluation.clips import Edit
from latent_edit.evaluation.comparison import PAIRED, TEST_SET, Figure, compare
from latent_edit.evaluation.controls import System
from latent_edit.evaluation.listeners import listener_rows
from latent_edit.evaluation.outside_judges import outside_rows, words_lost
from latent_edit.evaluation.plan import QUICK, Trial, make_plan, presets
from latent_edit.request import EditRequest

DIFFICULTY = np.random.default_rng(0).normal(size=30)
TRIALS = [
    Trial(Edit(EditRequest(text=f"Sentence {n}.", voice="ab"[n % 2], prompt="excited", seed=n)), "excited")
    for n in range(30)
]
SYSTEMS = [
    System("default", lambda edit: edit, ""),
    System("other", lambda edit: Edit(replace(edit.request, steps=1)), ""),
]


def quality(_: Any, trial: Trial, clip: Any) -> tuple[float, float] | None:
    if trial.edit.request.seed == 0:
        return None
    return float(10 * DIFFICULTY[trial.edit.request.seed] - (clip.request.steps == 1)), 1.0


def test_differences_are_paired() -> None:
    """Sentences differ ten times as much as the systems do: only pairs show the difference."""
    scores: Any = None
    rows = {(r.what, r.of): r for r in compare(scores, TRIALS, SYSTEMS, [Figure("q", "mos", quality)], "development")}
    assert set(rows) == {("q", "default"), ("q", "other"), ("q" + PAIRED, "other")}
    paired, own = rows["q" + PAIRED, "other"].estimate, rows["q", "other"].estimate
    assert [paired.value, paired.low, paired.high] == pytest.approx([-1.0] * 3)
    assert own.low is not None and own.high is not None and own.high - own.low > 2


def test_a_figure_is_about_the_trials_that_it_can_judge() -> None:
    scores: Any = None
    none = compare(scores, TRIALS, SYSTEMS, [Figure("q", "percent", quality, rules=["a whisper"])], "test")
    assert {row.estimate.value for row in none} == {None}
    assert [row.what for row in none] == ["q" + TEST_SET, "q" + TEST_SET, "q" + TEST_SET + PAIRED]
    assert none[-1].unit == "points"


class Words:
    """Scores of a recogniser that loses the last word of every edit."""

    def score(self, judge: str, clip: Any) -> str:
        assert judge == "moonshine"
        return clip.text.rpartition(" ")[0] if isinstance(clip, Edit) else clip.text


def test_words_lost_count_from_the_plain_synthesis() -> None:
    scores: Any = Words()
    lost = words_lost("moonshine")
    assert lost(scores, TRIALS[0], TRIALS[0].edit) == (1, 2)
    assert lost(scores, TRIALS[0], TRIALS[0].edit.before) == (0, 2)


class Bench:
    """Scores that say nothing."""

    def score(self, judge: str, clip: Any) -> Any:
        if judge in ("moonshine", "pocketsphinx"):
            return clip.text
        return [1.0, 0.0] if judge == "speaker" else 3.0


def test_systems_are_judged_side_by_side() -> None:
    scores: Any = Bench()
    rows = outside_rows(scores, make_plan(["anna", "ben"], QUICK, None, {}))
    same = {row.of: row.estimate.value for row in rows if row.what == "same voice, cosine"}
    assert set(same.values()) <= {1.0} and {"bridge and correction", "identity"} <= same.keys()


class Heard(NamedTuple):
    block: str
    test: str
    item: str
    condition: str
    value: float
    answers: int


def test_listeners_weigh_by_their_answers() -> None:
    study = [
        Heard("naturalness", "mos", "a", "default", 4.0, 3),
        Heard("naturalness", "mos", "b", "default", 2.0, 1),
        Heard("which is sadder", "ab", "a", "default", 0.75, 4),
    ]
    rating, preferred = listener_rows(study)
    assert rating.estimate.value == pytest.approx(3.5) and rating.cells()[2] == "3.50"
    assert rating.beside == "2 clips, 4 answers"
    assert preferred.cells()[:3] == ["listeners, which is sadder (ab)", "default", "75.0 %"]


def test_a_plan_takes_sentences_and_voices_in_turn() -> None:
    plan = make_plan(["anna", "ben"], replace(QUICK, sentences=3), None, {})
    trials = plan.trials(presets(), 4)
    assert len(trials) == 44
    by_prompt: dict[str, set[tuple[str, str]]] = {}
    for trial in trials:
        by_prompt.setdefault(trial.rule, set()).add((trial.edit.voice, trial.edit.text))
    assert {len(found) for found in by_prompt.values()} == {4}
    assert len({combination for found in by_prompt.values() for combination in found}) == 6
    assert len(plan.trials(presets(), 99)) == 66
