"""The other methods that are there, on a few of the same sentences as the one that every other row is about."""

from __future__ import annotations

from collections.abc import Sequence

from latent_edit.config import preset_prompts
from latent_edit.evaluation.clips import Edited
from latent_edit.evaluation.jury import Jury
from latent_edit.evaluation.moves import failures
from latent_edit.evaluation.plan import Plan
from latent_edit.evaluation.rows import Row, percent
from latent_edit.evaluation.speech_rows import errors, mean
from latent_edit.evaluation.statistics import Estimate, Observation, estimate


def method_rows(jury: Jury, plan: Plan) -> list[Row]:
    """Style success of presets and words lost for each other method, beside them the default's on the same readings."""
    rows = []
    for method in plan.others:
        pairs = [pair for prompt in preset_prompts() for pair in plan.compared(prompt, method)]
        default, other = [edit for edit, _ in pairs], [edit for _, edit in pairs]
        shown = [f"default {percent(figure(jury, default).value)}" for figure in (_success, _lost)]
        success, lost = _success(jury, other), _lost(jury, other)
        rows.append(Row("other methods, style success", method, success, "percent", beside=shown[0]))
        rows.append(Row("other methods, WER after - before", method, lost, "points", beside=shown[1]))
    return rows


def _success(jury: Jury, edits: Sequence[Edited]) -> Estimate:
    return mean(
        (edit, float(not failures(edit.request.prompt, jury.measured(edit.before), jury.measured(edit))))
        for edit in edits
    )


def _lost(jury: Jury, edits: Sequence[Edited]) -> Estimate:
    lost = []
    for edit in edits:
        wrong, words = errors(jury, edit)
        lost.append(Observation(wrong - errors(jury, edit.before)[0], edit.text, edit.voice, weight=words))
    return estimate(lost)
