"""The bridge alone and the other methods, on a few of the same sentences as what every other row is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from latent_edit.config import preset_prompts
from latent_edit.evaluation.clips import Edited
from latent_edit.evaluation.jury import Jury
from latent_edit.evaluation.moves import failures, free_prompts
from latent_edit.evaluation.plan import BRIDGE_ALONE, Plan
from latent_edit.evaluation.rows import WRITTEN, Row, Unit
from latent_edit.evaluation.speech_rows import errors, mean
from latent_edit.evaluation.statistics import Estimate, Observation, estimate

Figure = Callable[[Jury, Sequence[Edited]], Estimate]


def method_rows(jury: Jury, plan: Plan) -> list[Row]:
    """Style success of presets and words lost for each, beside them the default's on the same readings.

    Of the bridge alone the success of free prompts as well: there it is that landing has most to do.
    """
    rows = []
    for name in plan.variants:
        rows += [
            _compared(jury, plan, name, preset_prompts(), "other methods, style success", _success, "percent"),
            _compared(jury, plan, name, preset_prompts(), "other methods, WER after - before", _lost, "points"),
        ]
    free = "other methods, style success of free prompts"
    return [*rows, _compared(jury, plan, BRIDGE_ALONE, list(free_prompts()), free, _success, "percent")]


def _compared(jury: Jury, plan: Plan, name: str, prompts: Sequence[str], what: str, figure: Figure, unit: Unit) -> Row:
    pairs = [pair for prompt in prompts for pair in plan.compared(prompt, name)]
    default, other = (figure(jury, edits) for edits in zip(*pairs, strict=True))
    beside = "" if default.value is None else f"default {WRITTEN[unit](default.value)}"
    return Row(what, name, other, unit, beside=beside)


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
