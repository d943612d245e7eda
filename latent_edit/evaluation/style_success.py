"""Whether prompts do what they say: success by the rule of `effects`, its controls, and the curve over guidance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from latent_edit.config import load_styles, preset_prompts
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip
from latent_edit.evaluation.effects import (
    BREATH,
    VOICING,
    effects,
    failures,
    free_prompts,
    mean_progress,
    reference_effects,
)
from latent_edit.evaluation.plan import DEFAULT_GUIDANCE, GUIDANCE, NEUTRAL, Plan
from latent_edit.evaluation.rows import Goal, Row, percent
from latent_edit.evaluation.statistics import Estimate, Observation, estimate
from latent_edit.evaluation.synthesis_quality import errors, mean


class Outcome(NamedTuple):
    """One clip under the rule of one prompt. failed: the effects that are not what was asked for."""

    clip: Clip
    failed: Sequence[str]

    @property
    def success(self) -> float:
        """1 or 0."""
        return float(not self.failed)


def success_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Success of presets and free prompts, beside it the method `world` and WORLD on real speech; each prompt."""
    rows, single = [], []
    kinds = [("presets", preset_prompts(), 0.85, 0.95), ("free prompts", list(free_prompts()), 0.75, 0.90)]
    for of, prompts, gate, aim in kinds:
        outcomes = {prompt: list(_outcomes(scores, plan, prompt)) for prompt in prompts}
        every = [outcome for own in outcomes.values() for outcome in own]
        baseline = [outcome for prompt in prompts for outcome in _baseline(scores, plan, prompt)]
        ceiling = [outcome for prompt in prompts if of == "presets" for outcome in _ceiling(scores, plan, prompt)]
        beside = f"method world {percent(success(baseline).value)}"
        if ceiling:
            beside += f", WORLD on real speech {percent(success(ceiling).value)}"
        needed, wanted = (Goal(f"≥ {100 * limit:.0f} %", limit, at_least=True) for limit in (gate, aim))
        rows.append(Row("style success", of, success(every), "percent", needed, wanted, beside))
        single += [
            Row("style success, each prompt", prompt, success(own), "percent", beside=_reasons(own))
            for prompt, own in outcomes.items()
        ]
    return rows + single


def control_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """What must not succeed: prompts judged by another prompt's rule, "speak normally", and no guidance."""
    over, shuffled = [], []
    for prompts in ([p for p in preset_prompts() if p != NEUTRAL], list(free_prompts())):
        for index, prompt in enumerate(prompts):
            other = prompts[(index + len(prompts) // 2) % len(prompts)]
            for own, wrong in zip(_outcomes(scores, plan, prompt), _outcomes(scores, plan, prompt, other), strict=True):
                over.append((own.clip, own.success - wrong.success))
                shuffled.append(wrong)
    gate = Goal("≥ 50 points", 0.5, at_least=True)
    beside = f"shuffled {percent(success(shuffled).value)}"
    without = [o for p in preset_prompts() if p != NEUTRAL for o in _outcomes(scores, plan, p, guidance=0.0)]
    return [
        Row("controls", "success over shuffled prompts", mean(over), "points", gate, beside=beside),
        _neutral_row(scores, plan),
        Row("controls", "success at guidance 0", success(without), "percent"),
    ]


def guidance_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Mean progress towards the reference effects and words lost, at each guidance scale; pace is not scaled by it."""
    rows = []
    for guidance in GUIDANCE:
        edits = [e for p in preset_prompts() if p != NEUTRAL for e in plan.edits(p, plan.sizes.curve, guidance)]
        reached = [
            (e, mean_progress(e.request.prompt, scores.measurements(e.before), scores.measurements(e))) for e in edits
        ]
        wrong = [(errors(scores, e), errors(scores, e.before)[0], e) for e in edits]
        lost = [Observation(after - before, e.text, e.voice, weight=words) for (after, words), before, e in wrong]
        of = f"guidance {guidance:g}"
        rows.append(Row("guidance, mean progress", of, mean(reached), "times"))
        rows.append(Row("guidance, WER after - before", of, estimate(lost), "points"))
    return rows


def success(outcomes: Iterable[Outcome]) -> Estimate:
    """Share of successes."""
    return mean((outcome.clip, outcome.success) for outcome in outcomes)


def _outcomes(
    scores: CachedScores, plan: Plan, prompt: str, rule: str | None = None, guidance: float = DEFAULT_GUIDANCE
) -> Iterable[Outcome]:
    count = None if guidance == DEFAULT_GUIDANCE else plan.sizes.curve
    for edit in plan.edits(prompt, count, guidance):
        yield _judged(scores, rule or prompt, edit.before, edit)


def _baseline(scores: CachedScores, plan: Plan, prompt: str) -> Iterable[Outcome]:
    return (_judged(scores, prompt, edit.before, clip) for edit, clip in plan.baseline(prompt))


def _ceiling(scores: CachedScores, plan: Plan, prompt: str) -> Iterable[Outcome]:
    return (_judged(scores, prompt, recording, clip) for _, recording, clip in plan.recorded_edits(prompt))


def _judged(scores: CachedScores, prompt: str, before: Clip, after: Clip) -> Outcome:
    return Outcome(after, failures(prompt, scores.measurements(before), scores.measurements(after)))


def _reasons(outcomes: Sequence[Outcome]) -> str:
    """How often each axis failed, most often first."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for name in outcome.failed:
            counts[name] = counts.get(name, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {percent(count / len(outcomes))}" for name, count in ordered)


def _neutral_row(scores: CachedScores, plan: Plan) -> Row:
    """The largest systematic effect of "speak normally", as a share of what presets that name the axis ask for."""
    found: dict[str, list[tuple[Clip, float | None]]] = {}
    for edit in plan.edits(NEUTRAL):
        for name, effect in effects(scores.measurements(edit.before), scores.measurements(edit)).items():
            found.setdefault(name, []).append((edit, effect))
    shares: dict[str, Estimate] = {}
    for name, items in found.items():
        size = _preset_size(name)
        shares[name] = mean((clip, None if effect is None else effect / size) for clip, effect in items)
    worst = max(shares, key=lambda name: abs(shares[name].value or 0.0))
    share = shares[worst]
    if share.value is not None and share.low is not None and share.high is not None and share.value < 0:
        share = Estimate(-share.value, -share.high, -share.low)
    beside = ", ".join(f"{name} {percent(share.value)}" for name, share in shares.items())
    return Row("controls", f"“{NEUTRAL}”, largest mean effect", share, "percent", Goal("< 15 %", 0.15), beside=beside)


def _preset_size(name: str) -> float:
    """Mean absolute reference effect over the presets that name its axis."""
    axis = "breathiness" if name in (BREATH, VOICING) else name
    whispers = name == VOICING
    sizes = [
        abs(reference_effects()[prompt][name])
        for prompt, axes in load_styles().items()
        if axis in axes and (axis != "breathiness" or (axes[axis] == 1.0) == whispers)
    ]
    return sum(sizes) / len(sizes)
