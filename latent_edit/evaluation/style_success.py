"""Success by the rule of `effects`: the axes at which the correction itself aims, so never without the controls."""

from __future__ import annotations

from collections.abc import Sequence

from latent_edit.axes import BREATHINESS, WHISPER
from latent_edit.config import load_styles
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip
from latent_edit.evaluation.comparison import Figure, compare, titled
from latent_edit.evaluation.controls import DEFAULT, SHUFFLED, shuffle, systems
from latent_edit.evaluation.effects import BREATH, VOICING, effects, failures, reference_effects
from latent_edit.evaluation.plan import NEUTRAL, Plan, Trial, new_prompts, paraphrases
from latent_edit.evaluation.rows import Row, percent
from latent_edit.evaluation.statistics import Estimate, Observation, estimate
from latent_edit.evaluation.synthesis_quality import mean

PRESETS, PARAPHRASES, NEW = "success, presets", "success, paraphrases", "success, new prompts"
# Prompts beyond the presets are many: only what differs most from the default is made of them as well.
NEAR = (DEFAULT, "bridge alone", "correction alone", "WORLD, open loop", "WORLD, closed loop", SHUFFLED, "identity")


def success_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Success of every system on presets, and of some on paraphrases and new prompts."""
    rows = compare(scores, plan.presets, systems(plan), [Figure(PRESETS, "percent", succeeds)], plan.split)
    for what, trials, prompts in (
        (PARAPHRASES, plan.others("paraphrases"), paraphrases(plan.split)),
        (NEW, plan.others("new prompts"), new_prompts(plan.split)),
    ):
        near = [system for system in systems(plan, shuffle(list(prompts))) if system.name in NEAR]
        rows += compare(scores, trials, near, [Figure(what, "percent", succeeds)], plan.split)
    return rows


def prompt_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """Success of the default for each preset, and which axes fail."""
    by_rule: dict[str, list[Trial]] = {}
    for trial in plan.presets:
        by_rule.setdefault(trial.rule, []).append(trial)
    what = titled("success, each preset", plan.split)
    return [
        Row(
            what,
            rule,
            mean((trial.edit, succeeds(scores, trial, trial.edit)[0]) for trial in trials),
            "percent",
            beside=_reasons([_failures(scores, trial, trial.edit) for trial in trials]),
        )
        for rule, trials in by_rule.items()
    ]


def neutral_rows(scores: CachedScores, plan: Plan) -> list[Row]:
    """The largest systematic effect of "speak normally", as a share of what presets that name the axis ask for."""
    found: dict[str, list[tuple[Clip, float | None]]] = {}
    for trial in plan.trials({NEUTRAL: NEUTRAL}, plan.sizes.presets):
        before, after = scores.measurements(trial.edit.before), scores.measurements(trial.edit)
        for name, effect in effects(before, after).items():
            found.setdefault(name, []).append((trial.edit, effect))
    shares: dict[str, Estimate] = {}
    for name, items in found.items():
        size = _preset_size(name)
        shares[name] = mean((clip, None if effect is None else effect / size) for clip, effect in items)
    worst = max(shares, key=lambda name: abs(shares[name].value or 0.0))
    share = shares[worst]
    if share.value is not None and share.low is not None and share.high is not None and share.value < 0:
        share = Estimate(-share.value, -share.high, -share.low)
    beside = ", ".join(f"{name} {percent(share.value)}" for name, share in shares.items())
    what = titled("neutral prompt", plan.split)
    return [Row(what, f"“{NEUTRAL}”, largest mean effect", share, "percent", beside=beside)]


def success_of(scores: CachedScores, trials: Sequence[Trial]) -> Estimate:
    """Share of the default's edits that succeed."""
    found = [(trial.edit, succeeds(scores, trial, trial.edit)[0]) for trial in trials]
    return estimate([Observation(value, clip.text, clip.voice) for clip, value in found])


def succeeds(scores: CachedScores, trial: Trial, clip: Clip) -> tuple[float, float]:
    """Whether a clip in place of the edit of a trial succeeds: 1 or 0."""
    return float(not _failures(scores, trial, clip)), 1.0


def _failures(scores: CachedScores, trial: Trial, clip: Clip) -> list[str]:
    return failures(trial.rule, scores.measurements(trial.edit.before), scores.measurements(clip))


def _reasons(failed: Sequence[Sequence[str]]) -> str:
    """How often each axis failed, most often first."""
    counts: dict[str, int] = {}
    for names in failed:
        for name in names:
            counts[name] = counts.get(name, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {percent(count / len(failed))}" for name, count in ordered)


def _preset_size(name: str) -> float:
    """Mean absolute reference effect over the presets that name its axis."""
    axis = BREATHINESS if name in (BREATH, VOICING) else name
    whispers = name == VOICING
    sizes = [
        abs(reference_effects()[prompt][name])
        for prompt, axes in load_styles().items()
        if axis in axes and (axis != BREATHINESS or (axes[axis] >= WHISPER) == whispers)
    ]
    return sum(sizes) / len(sizes)
