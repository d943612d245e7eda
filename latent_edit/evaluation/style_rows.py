"""Whether prompts do what they say: success, its controls, and the curve over guidance."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from latent_edit.config import load_styles, preset_prompts
from latent_edit.evaluation.clips import Clip, Edited
from latent_edit.evaluation.jury import Jury
from latent_edit.evaluation.moves import (
    BREATH,
    VOICING,
    attribute_move,
    failures,
    free_prompts,
    measured_sizes,
    moves,
)
from latent_edit.evaluation.plan import DEFAULT_GUIDANCE, GUIDANCE, NEUTRAL, RISEN_AT, Plan
from latent_edit.evaluation.rows import Goal, Row, number, percent
from latent_edit.evaluation.speech_rows import errors, mean
from latent_edit.evaluation.statistics import Estimate, Observation, estimate


class Outcome(NamedTuple):
    """One clip under the rule of one prompt. failed: the axes on which it is not what was asked for."""

    clip: Clip
    failed: Sequence[str]

    @property
    def success(self) -> float:
        """1 or 0."""
        return float(not self.failed)


def success_rows(jury: Jury, plan: Plan) -> list[Row]:
    """Success of presets and free prompts, beside it the method `world` and WORLD on real speech; each prompt."""
    rows, single = [], []
    kinds = [("presets", preset_prompts(), 0.85, 0.95), ("free prompts", list(free_prompts()), 0.75, 0.90)]
    for of, prompts, gate, aim in kinds:
        outcomes = {prompt: list(_outcomes(jury, plan, prompt)) for prompt in prompts}
        every = [outcome for own in outcomes.values() for outcome in own]
        baseline = [outcome for prompt in prompts for outcome in _baseline(jury, plan, prompt)]
        ceiling = [outcome for prompt in prompts if of == "presets" for outcome in _ceiling(jury, plan, prompt)]
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


def control_rows(jury: Jury, plan: Plan) -> list[Row]:
    """What must not succeed: prompts judged by another prompt's rule, "speak normally", and no guidance."""
    over, shuffled = [], []
    for prompts in ([p for p in preset_prompts() if p != NEUTRAL], list(free_prompts())):
        for index, prompt in enumerate(prompts):
            other = prompts[(index + len(prompts) // 2) % len(prompts)]
            for own, wrong in zip(_outcomes(jury, plan, prompt), _outcomes(jury, plan, prompt, other), strict=True):
                over.append((own.clip, own.success - wrong.success))
                shuffled.append(wrong)
    gate = Goal("≥ 50 points", 0.5, at_least=True)
    beside = f"shuffled {percent(success(shuffled).value)}"
    without = [o for p in preset_prompts() if p != NEUTRAL for o in _outcomes(jury, plan, p, guidance=0.0)]
    return [
        Row("controls", "success over shuffled prompts", mean(over), "points", gate, beside=beside),
        _neutral_row(jury, plan),
        Row("controls", "success at guidance 0", success(without), "percent", beside="pace needs no guidance"),
    ]


def guidance_rows(jury: Jury, plan: Plan) -> list[Row]:
    """The mean progress towards the named sizes (pace left out: guidance does not scale it) from guidance 0 to 4."""
    rows = []
    for prompt in [p for p in preset_prompts() if p != NEUTRAL]:
        curve = {g: list(_progress(jury, plan, prompt, g)) for g in GUIDANCE}
        values = [mean(curve[g]).value for g in GUIDANCE]
        shown = ", ".join(f"{g:.0f}: {number(value)}" for g, value in zip(GUIDANCE, values, strict=True))
        rise = _change(curve[GUIDANCE[0]], curve[RISEN_AT])
        steps = [_change(curve[a], curve[b]) for a, b in pairwise(GUIDANCE)]
        fall = min(steps, key=lambda step: float("inf") if step.value is None else step.value)
        rises = Goal("interval above 0", 1e-9, at_least=True, of="low")
        holds = Goal("does not fall (interval)", 0.0, at_least=True, of="high")
        rows.append(Row("guidance 0 to 2, rise of the mean move", prompt, rise, "times", rises, beside=shown))
        rows.append(Row("guidance 0 to 4, worst step", prompt, fall, "times", holds))
    return [*rows, _guidance_words(jury, plan)]


def success(outcomes: Iterable[Outcome]) -> Estimate:
    """Share of successes."""
    return mean((outcome.clip, outcome.success) for outcome in outcomes)


def _outcomes(
    jury: Jury, plan: Plan, prompt: str, rule: str | None = None, guidance: float = DEFAULT_GUIDANCE
) -> Iterable[Outcome]:
    count = None if guidance == DEFAULT_GUIDANCE else plan.sizes.curve
    for edit in plan.edits(prompt, count, guidance):
        yield _judged(jury, rule or prompt, edit.before, edit)


def _baseline(jury: Jury, plan: Plan, prompt: str) -> Iterable[Outcome]:
    return (_judged(jury, prompt, edit.before, clip) for edit, clip in plan.baseline(prompt))


def _ceiling(jury: Jury, plan: Plan, prompt: str) -> Iterable[Outcome]:
    return (_judged(jury, prompt, recording, clip) for _, recording, clip in plan.controls(prompt))


def _judged(jury: Jury, prompt: str, before: Clip, after: Clip) -> Outcome:
    return Outcome(after, failures(prompt, jury.measured(before), jury.measured(after)))


def _reasons(outcomes: Sequence[Outcome]) -> str:
    """How often each axis failed, most often first."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        for name in outcome.failed:
            counts[name] = counts.get(name, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{name} {percent(count / len(outcomes))}" for name, count in ordered)


def _neutral_row(jury: Jury, plan: Plan) -> Row:
    """The largest systematic move under "speak normally", as a share of the mean size that presets ask of that axis."""
    moved: dict[str, list[tuple[Clip, float | None]]] = {}
    for edit in plan.edits(NEUTRAL):
        for name, move in moves(jury.measured(edit.before), jury.measured(edit)).items():
            moved.setdefault(name, []).append((edit, move))
    shares: dict[str, Estimate] = {}
    for name, items in moved.items():
        size = _preset_size(name)
        shares[name] = mean((clip, None if move is None else move / size) for clip, move in items)
    worst = max(shares, key=lambda name: abs(shares[name].value or 0.0))
    found = shares[worst]
    if found.value is not None and found.low is not None and found.high is not None and found.value < 0:
        found = Estimate(-found.value, -found.high, -found.low)
    beside = ", ".join(f"{name} {percent(share.value)}" for name, share in shares.items())
    return Row("controls", f"“{NEUTRAL}”, largest mean move", found, "percent", Goal("< 15 %", 0.15), beside=beside)


def _preset_size(name: str) -> float:
    """Mean absolute measured size of a move over the presets that name its axis."""
    axis = "breathiness" if name in (BREATH, VOICING) else name
    whispers = name == VOICING
    sizes = [
        abs(measured_sizes()[prompt][name])
        for prompt, axes in load_styles().items()
        if axis in axes and (axis != "breathiness" or (axes[axis] == 1.0) == whispers)
    ]
    return sum(sizes) / len(sizes)


def _progress(jury: Jury, plan: Plan, prompt: str, guidance: float) -> Iterable[tuple[Edited, float | None]]:
    for edit in plan.edits(prompt, plan.sizes.curve, guidance):
        yield edit, attribute_move(prompt, jury.measured(edit.before), jury.measured(edit))


def _change(start: Sequence[tuple[Edited, float | None]], end: Sequence[tuple[Edited, float | None]]) -> Estimate:
    pairs = zip(start, end, strict=True)
    return mean((clip, None if a is None or b is None else b - a) for (clip, a), (_, b) in pairs)


def _guidance_words(jury: Jury, plan: Plan) -> Row:
    """What the strongest guidance of the curve costs in words, against none."""
    first, last = GUIDANCE[0], GUIDANCE[-1]
    observations = []
    for prompt in preset_prompts():
        edits = [plan.edits(prompt, plan.sizes.curve, guidance) for guidance in (first, last)]
        for plain, strong in zip(*edits, strict=True):
            wrong, words = errors(jury, strong)
            observations.append(Observation(wrong - errors(jury, plain)[0], plain.text, plain.voice, weight=words))
    of = f"guidance {last:.0f} over guidance {first:.0f}"
    return Row("guidance, WER", of, estimate(observations), "points", Goal("≤ 5 points", 0.05))
