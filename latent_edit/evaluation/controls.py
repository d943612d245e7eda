"""The bridge alone, the other methods and signal processing, on a few of the same plain syntheses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from latent_edit.config import preset_prompts
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip, Edit
from latent_edit.evaluation.effects import failures, free_prompts
from latent_edit.evaluation.plan import BRIDGE_ALONE, WORLD, Plan
from latent_edit.evaluation.rows import WRITTEN, Row, Unit
from latent_edit.evaluation.statistics import Estimate, Observation, estimate
from latent_edit.evaluation.synthesis_quality import errors, mean

Made = tuple[Edit, Clip]  # an edit, whose prompt and plain synthesis count, and what was made in its place
Figure = Callable[[CachedScores, Sequence[Made]], Estimate]


def method_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Style success of presets, words lost and naturalness for each, beside them the default's on the same syntheses.

    Of the bridge alone and of signal processing the success of free prompts as well: there the differences are.
    """
    kinds: list[tuple[str, Figure, Unit]] = [
        ("other methods, style success", _success, "percent"),
        ("other methods, WER after - before", _lost, "points"),
        ("other methods, DNSMOS after - before", _natural, "mos"),
    ]
    presets, rows = preset_prompts(), []
    for name in plan.compared_with:
        rows += [_compared(scores, plan, name, presets, *kind) for kind in kinds]
        if name in (BRIDGE_ALONE, WORLD):
            free = "other methods, style success of free prompts"
            rows.append(_compared(scores, plan, name, list(free_prompts()), free, _success, "percent"))
    return rows


def _compared(
    scores: CachedScores, plan: Plan, name: str, prompts: Sequence[str], what: str, figure: Figure, unit: Unit
) -> Row:
    pairs = [pair for prompt in prompts for pair in plan.compared(prompt, name)]
    default, other = figure(scores, [(edit, edit) for edit, _ in pairs]), figure(scores, pairs)
    beside = "" if default.value is None else f"default {WRITTEN[unit](default.value)}"
    return Row(what, name, other, unit, beside=beside)


def _success(scores: CachedScores, made: Sequence[Made]) -> Estimate:
    return mean(
        (clip, float(not failures(edit.request.prompt, scores.measurements(edit.before), scores.measurements(clip))))
        for edit, clip in made
    )


def _lost(scores: CachedScores, made: Sequence[Made]) -> Estimate:
    lost = []
    for edit, clip in made:
        wrong, words = errors(scores, clip)
        lost.append(Observation(wrong - errors(scores, edit.before)[0], clip.text, clip.voice, weight=words))
    return estimate(lost)


def _natural(scores: CachedScores, made: Sequence[Made]) -> Estimate:
    found = [(clip, scores.score("dnsmos", clip), scores.score("dnsmos", edit.before)) for edit, clip in made]
    return mean((clip, None if after is None or before is None else after - before) for clip, after, before in found)
