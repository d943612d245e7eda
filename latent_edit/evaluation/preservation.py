"""Whether edits preserve words and voice, compared with WORLD editing real speech into the same style."""

from __future__ import annotations

import numpy as np

from latent_edit.config import preset_prompts
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip
from latent_edit.evaluation.plan import Plan
from latent_edit.evaluation.rows import Goal, Row, number, percent
from latent_edit.evaluation.statistics import Observation, estimate
from latent_edit.evaluation.synthesis_quality import errors, mean


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
        beside = f"edit {before} → {after}, WORLD on real {real} → {rendered}"
        gate, aim = (Goal(f"upper bound ≤ {points} points", points / 100, of="high") for points in (5, 2))
        rows.append(Row("words preserved, excess WER", prompt, estimate(observations), "points", gate, aim, beside))
    return rows


def voice_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Speaker similarity of after and before, less that of WORLD's edit and the recording, per preset."""
    rows = []
    for prompt in preset_prompts():
        edits = list(plan.recorded_edits(prompt))
        ours = [_similarity(scores, edit.before, edit) for edit, _, _ in edits]
        theirs = [_similarity(scores, recording, control) for _, recording, control in edits]
        over = mean((edit, a - b) for (edit, _, _), a, b in zip(edits, ours, theirs, strict=True))
        shown = [number(float(np.mean(side)) if side else None, 3) for side in (ours, theirs)]
        gate = Goal("≥ control - 0.05", -0.05, at_least=True)
        beside = f"edit {shown[0]}, WORLD on real {shown[1]}"
        rows.append(Row("voice preserved, cosine over control", prompt, over, "cosine", gate, beside=beside))
    return rows


def _similarity(scores: CachedScores, before: Clip, after: Clip) -> float:
    return float(np.dot(scores.score("speaker", before), scores.score("speaker", after)))
