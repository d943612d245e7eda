"""Whether edits preserve words and voice, compared with WORLD editing real speech into the same style."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from latent_edit.config import preset_prompts
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip
from latent_edit.evaluation.plan import SHOUT, SHOUTERS, Plan
from latent_edit.evaluation.rows import Goal, Row, number, percent
from latent_edit.evaluation.statistics import Observation, estimate
from latent_edit.evaluation.synthesis_quality import errors, mean

Attributes = dict[str, "float | None"]  # fields of `measures.Measurements`


def words_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Paired excess of the word error rate, per preset: (after - before) less (WORLD's edit - recording)."""
    rows = []
    for prompt in preset_prompts():
        observations, totals = [], np.zeros(4)
        for edit, recording, control in plan.preservation_edits(prompt):
            wrong = np.array([errors(scores, clip)[0] for clip in (edit.before, edit, recording, control)])
            words = errors(scores, edit)[1]
            excess = float(wrong[1] - wrong[0] - (wrong[3] - wrong[2]))
            observations.append(Observation(excess, edit.text, edit.voice, weight=words))
            totals += wrong
        spoken = max(1.0, sum(o.weight for o in observations))
        before, after, real, rendered = (percent(count / spoken) for count in totals)
        beside = f"edit {before} → {after}, WORLD on real {real} → {rendered}{_world_words(scores, plan, prompt)}"
        gate, aim = (Goal(f"upper bound ≤ {points} points", points / 100, of="high") for points in (5, 2))
        rows.append(Row("words preserved, excess WER", prompt, estimate(observations), "points", gate, aim, beside))
    return rows


def shout_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Words after less words before, without a control, for the preset that changes most."""
    if not plan.shouts:
        return []
    wrong = np.array([[errors(scores, edit.before)[0], *errors(scores, edit)] for edit in plan.shouts])
    lost = [
        Observation(float(after - before), edit.text, edit.voice, weight=float(words))
        for edit, (before, after, words) in zip(plan.shouts, wrong, strict=True)
    ]
    before, after = (percent(float(count)) for count in wrong[:, :2].sum(0) / max(1, wrong[:, 2].sum()))
    beside = f"edit {before} → {after}; {len(plan.shouts)} sentences of {' and '.join(SHOUTERS)}"
    return [
        Row("words lost, WER after - before", SHOUT, estimate(lost), "points", Goal("≤ 10 points", 0.1), None, beside)
    ]


def word_error_rates(scores: CachedScores, plan: Plan, prompt: str, voice: str) -> str:
    """Before and after, for the table of attributes, in percent."""
    counts = [(errors(scores, e.before)[0], *errors(scores, e)) for e in plan.edits(prompt) if e.voice == voice]
    before, after, words = np.sum(counts, axis=0)
    return f"{100 * before / words:.0f} → {100 * after / words:.0f}"


def voice_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Speaker similarity of after and before, less that of WORLD's edit and the recording, per preset."""
    rows = []
    for prompt in preset_prompts():
        controls = list(plan.recorded_edits(prompt))
        ours = [_similarity(scores, edit.before, edit) for edit, _, _ in controls]
        theirs = [_similarity(scores, recording, control) for _, recording, control in controls]
        baseline = [_similarity(scores, edit.before, clip) for edit, clip in plan.baseline(prompt)]
        over = mean((edit, a - b) for (edit, _, _), a, b in zip(controls, ours, theirs, strict=True))
        shown = [number(float(np.mean(x)) if x else None, 3) for x in (ours, theirs, baseline)]
        beside = f"edit {shown[0]}, WORLD on real {shown[1]}, method world {shown[2]}"
        gate = Goal("≥ control - 0.05", -0.05, at_least=True)
        rows.append(Row("voice preserved, cosine over control", prompt, over, "cosine", gate, beside=beside))
    return rows


def _world_words(scores: CachedScores, plan: Plan, prompt: str) -> str:
    """The method `world` on the same before, where the CLAP can predict axes."""
    counts = [(errors(scores, edit.before)[0], *errors(scores, clip)) for edit, clip in plan.baseline(prompt)]
    if not counts:
        return ""
    words = sum(count[2] for count in counts) or 1
    before, after = (percent(sum(count[place] for count in counts) / words) for place in (0, 1))
    return f", method world {before} → {after} on {len(counts)}"


def _similarity(scores: CachedScores, before: Clip, after: Clip) -> float:
    return float(np.dot(scores.score("speaker", before), scores.score("speaker", after)))


def changes(scores: CachedScores, plan: Plan, prompt: str) -> Iterator[tuple[str, Attributes, Attributes]]:
    """Voice and measurements before and after, for the table of attributes."""
    for edit in plan.edits(prompt):
        yield edit.voice, scores.score("measurements", edit.before), scores.score("measurements", edit)
