"""The bridge alone, the other methods and signal processing, on a few of the same readings as every other row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from latent_edit.config import preset_prompts
from latent_edit.evaluation.clips import Clip, Edited
from latent_edit.evaluation.jury import Jury
from latent_edit.evaluation.moves import failures, free_prompts
from latent_edit.evaluation.plan import BRIDGE_ALONE, WORLD, Plan
from latent_edit.evaluation.rows import WRITTEN, Row, Unit
from latent_edit.evaluation.speech_rows import errors, mean
from latent_edit.evaluation.statistics import Estimate, Observation, estimate

Made = tuple[Edited, Clip]  # an edit, whose prompt and plain reading count, and what was made in its place
Figure = Callable[[Jury, Sequence[Made]], Estimate]


def method_rows(jury: Jury, plan: Plan) -> list[Row]:
    """Style success of presets, words lost and naturalness for each, beside them the default's on the same readings.

    Of the bridge alone and of signal processing the success of free prompts as well: there the differences are.
    """
    kinds: list[tuple[str, Figure, Unit]] = [
        ("other methods, style success", _success, "percent"),
        ("other methods, WER after - before", _lost, "points"),
        ("other methods, DNSMOS after - before", _natural, "mos"),
    ]
    presets, rows = preset_prompts(), []
    for name in plan.compared_with:
        rows += [_compared(jury, plan, name, presets, *kind) for kind in kinds]
        if name in (BRIDGE_ALONE, WORLD):
            free = "other methods, style success of free prompts"
            rows.append(_compared(jury, plan, name, list(free_prompts()), free, _success, "percent"))
    return rows


def _compared(jury: Jury, plan: Plan, name: str, prompts: Sequence[str], what: str, figure: Figure, unit: Unit) -> Row:
    pairs = [pair for prompt in prompts for pair in plan.compared(prompt, name)]
    default, other = figure(jury, [(edit, edit) for edit, _ in pairs]), figure(jury, pairs)
    beside = "" if default.value is None else f"default {WRITTEN[unit](default.value)}"
    return Row(what, name, other, unit, beside=beside)


def _success(jury: Jury, made: Sequence[Made]) -> Estimate:
    return mean(
        (clip, float(not failures(edit.request.prompt, jury.measured(edit.before), jury.measured(clip))))
        for edit, clip in made
    )


def _lost(jury: Jury, made: Sequence[Made]) -> Estimate:
    lost = []
    for edit, clip in made:
        wrong, words = errors(jury, clip)
        lost.append(Observation(wrong - errors(jury, edit.before)[0], clip.text, clip.voice, weight=words))
    return estimate(lost)


def _natural(jury: Jury, made: Sequence[Made]) -> Estimate:
    scores = [(clip, jury.ask("natural", clip), jury.ask("natural", edit.before)) for edit, clip in made]
    return mean((clip, None if after is None or before is None else after - before) for clip, after, before in scores)
