"""The effects of an edit on the axes of style, and the rule by which it succeeds.

The rule, fixed before the weights it judges. An edit succeeds when
  every axis that the prompt names (its value reaches the axis' floor, `data.styles.AXES`) changed in the right
  direction by 0.5 to 2 times the reference effect, and
  no other axis left its tolerance.
The reference effect is in measured units: what `measures` finds, in the median, where WORLD renders real training
recordings in exactly that style (presets/reference-effects.yaml). For pitch, pace, level and tilt that is the nominal
value. Others differ systematically: a tremor is measured at 0.6 to 0.8 of its depth, a changed range at 0.8 to 0.95 of
its octaves, and breathiness has no scale of its own, but is measured as the fall of the harmonicity in dB. An axis that
is not named may also go where that style takes the measure in real speech: from there, or from zero, by no more than
the tolerance.

Tolerances are below the floors, the smallest sizes that count as named: what is tolerated would never be one. A full
whisper is judged by voicing, of which half has to go; pitch, range, tremor and harmonicity, which it does not have, are
not judged. Otherwise a named axis that cannot be measured, before or after, has failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from latent_edit import manners
from latent_edit.axes import AXES, BREATHINESS, PACE
from latent_edit.config import PRESETS, load_styles, read_yaml
from latent_edit.data.styles import Style
from latent_edit.measures import Measurements
from latent_edit.prompts.lexicon import load_lexicon
from latent_edit.success import BREATH, LEAST, MOST, VOICELESS, VOICING, WHISPER_LOSS, effects

HARMONICITY_TOLERANCE_DB = 3.0  # breathiness 0.4, the smallest that counts as named, takes about 4 dB
NOT_BY_GUIDANCE = PACE  # predicted before the bridge runs
NOT_OF_WHISPERS = (*VOICELESS, BREATH)
Effects = Mapping[str, "float | None"]


def judged_styles() -> dict[str, Style]:
    """What every prompt with a rule of its own means: presets, free prompts, new prompts of the test set."""
    prompts = {**load_styles(), **free_prompts(), **held_back_prompts()["new"]}
    return {prompt: Style(**axes) for prompt, axes in prompts.items()}


@lru_cache(maxsize=1)
def judged_prompts() -> list[str]:
    """Every prompt that is judged anywhere: with a rule of its own, other words for a preset, or naming an emotion."""
    presets = load_lexicon().presets.values()
    captions = [text for preset in presets for text in preset.captions["test"]]
    held_back = [text for texts in held_back_prompts()["paraphrases"].values() for text in texts]
    return sorted({*judged_styles(), *captions, *held_back, *manners.PROMPTS.values()})


@lru_cache(maxsize=1)
def free_prompts() -> dict[str, dict[str, float]]:
    """The prompts that no training caption resembles: prompt -> axis values."""
    prompts: dict[str, dict[str, float]] = read_yaml(PRESETS / "free-prompts.yaml")
    return prompts


@lru_cache(maxsize=1)
def held_back_prompts() -> dict[str, Any]:
    """The prompts of the test set. paraphrases: preset -> texts. new: text -> axis values."""
    prompts: dict[str, Any] = read_yaml(PRESETS / "test-prompts.yaml")
    return prompts


@lru_cache(maxsize=1)
def reference_effects() -> dict[str, dict[str, float]]:
    """Median effects of WORLD on training recordings: prompt -> effect by name."""
    references: dict[str, dict[str, float]] = read_yaml(PRESETS / "reference-effects.yaml")
    return references


def named_effects(style: Style) -> list[str]:
    """The effects that a style asks for: one for each axis that it names."""
    named = [name for name, axis in AXES.items() if abs(getattr(style, name)) >= axis.floor]
    return [_effect_of(name, style) for name in named]


def failures(prompt: str, before: Measurements, after: Measurements) -> list[str]:
    """The effects that are not what `prompt` asks for; none means success."""
    style, reference, found = judged_styles()[prompt], reference_effects()[prompt], effects(before, after)
    named, whispered = named_effects(style), style.is_whisper
    failed = []
    for name, effect in found.items():
        if whispered and name in NOT_OF_WHISPERS:
            continue
        if name in named:
            reached = progress(prompt, name, found, before)
            least = WHISPER_LOSS if name == VOICING else LEAST
            if reached is None or not least <= reached <= MOST:
                failed.append(name)
        elif effect is not None and (tolerance := _tolerance(name, style)) is not None:
            usual = reference.get(name, 0.0)
            if not min(0.0, usual) - tolerance <= effect <= max(0.0, usual) + tolerance:
                failed.append(name)
    return failed


def progress(prompt: str, name: str, found: Effects, before: Measurements) -> float | None:
    """A named effect as a multiple of its reference; for a whisper the share of voicing that was lost."""
    effect = found[name]
    if effect is None:
        return None
    if name == VOICING:
        return -effect / before.voiced_share if before.voiced_share else None
    return effect / reference_effects()[prompt][name]


def mean_progress(prompt: str, before: Measurements, after: Measurements) -> float | None:
    """Mean progress over the named effects that guidance can change; None where the prompt names none.

    A single one counts from -2 to 2, so that one octave error does not decide; what cannot be measured counts as 0.
    """
    style, found = judged_styles()[prompt], effects(before, after)
    named = [name for name in named_effects(style) if name != NOT_BY_GUIDANCE]
    if style.is_whisper:
        named = [name for name in named if name not in NOT_OF_WHISPERS]
    reached = [progress(prompt, name, found, before) or 0.0 for name in named]
    return sum(min(max(x, -MOST), MOST) for x in reached) / len(reached) if reached else None


def _tolerance(name: str, style: Style) -> float | None:
    """How far an effect may go that is not named; None where it is not judged by itself."""
    if name == BREATH:
        return HARMONICITY_TOLERANCE_DB
    if name == VOICING:
        return None if style.breathiness >= AXES[BREATHINESS].floor else AXES[BREATHINESS].tolerance
    return AXES[name].tolerance


def _effect_of(axis: str, style: Style) -> str:
    if axis != BREATHINESS:
        return axis
    return VOICING if style.is_whisper else BREATH
