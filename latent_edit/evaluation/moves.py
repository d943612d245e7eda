"""How far an edit moved each axis of style, and whether that is what its prompt asked for.

The rule, fixed before the weights it judges. An edit succeeds when
  every axis that the prompt names (its value reaches the axis' floor, `data.styles.AXES`) moved in the right direction
  by 0.5 to 2 times its fixed size, and
  no other axis left its tolerance (`Axis.tolerance`).
The fixed size is in measured units: what `measures` finds, in the median, where WORLD renders real training recordings
in exactly that style (presets/measured-sizes.yaml). For pitch, pace, level and tilt that is the nominal value. Others
differ systematically: a tremor is measured at 0.6 to 0.8 of its depth, a changed range at 0.8 to 0.95 of its octaves,
and breathiness has no scale of its own, but is seen as the fall of the harmonicity in dB. An axis that is not named may
also go where that style takes the measure in real speech: from there, or from zero, by no more than the tolerance.

Tolerances are below the floors, the smallest sizes that count as named: what is tolerated would never be one. A full
whisper is judged by voicing, of which half has to go; pitch, range and tremor, which it does not have, are not judged.
Otherwise a named axis that cannot be measured, before or after, has not landed.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from latent_edit.config import PRESETS, load_styles, read_yaml
from latent_edit.data.styles import AXES, Style
from latent_edit.measures import Measurements
from latent_edit.success import BREATH, LEAST, MOST, VOICELESS, VOICING, WHISPER, WHISPER_LOSS
from latent_edit.success import effects as moves

NOT_BY_GUIDANCE = "pace_log_ratio"  # predicted before the bridge runs
Moves = Mapping[str, "float | None"]


def judged_styles() -> dict[str, Style]:
    """What every preset and every free prompt means."""
    return {prompt: Style(**axes) for prompt, axes in {**load_styles(), **free_prompts()}.items()}


@lru_cache(maxsize=1)
def free_prompts() -> dict[str, dict[str, float]]:
    """The prompts that no training caption resembles: prompt -> axis values."""
    prompts: dict[str, dict[str, float]] = read_yaml(PRESETS / "free-prompts.yaml")
    return prompts


@lru_cache(maxsize=1)
def measured_sizes() -> dict[str, dict[str, float]]:
    """Median moves of WORLD renditions of training recordings: prompt -> move by name."""
    sizes: dict[str, dict[str, float]] = read_yaml(PRESETS / "measured-sizes.yaml")
    return sizes


def named_axes(style: Style) -> list[str]:
    """The axes that a style names, by the name of their move."""
    named = [name for name, axis in AXES.items() if abs(getattr(style, name)) >= axis.floor]
    return [_move_of(name, style) for name in named]


def failures(prompt: str, before: Measurements, after: Measurements) -> list[str]:
    """The axes on which an edit does not do what `prompt` asks for; none means success."""
    style, size, moved = judged_styles()[prompt], measured_sizes()[prompt], moves(before, after)
    named, whispered = named_axes(style), style.breathiness >= WHISPER
    failed = []
    for name, move in moved.items():
        if whispered and name in VOICELESS:
            continue
        if name in named:
            reached = progress(prompt, name, moved, before)
            least = WHISPER_LOSS if name == VOICING else LEAST
            if reached is None or not least <= reached <= MOST:
                failed.append(name)
        elif move is not None and (tolerance := _tolerance(name, style)) is not None:
            usual = size.get(name, 0.0)
            if not min(0.0, usual) - tolerance <= move <= max(0.0, usual) + tolerance:
                failed.append(name)
    return failed


def progress(prompt: str, name: str, moved: Moves, before: Measurements) -> float | None:
    """A named axis' move as a multiple of its fixed size; for a whisper the share of voicing that was lost."""
    move = moved[name]
    if move is None:
        return None
    if name == VOICING:
        return -move / before.voiced_share if before.voiced_share else None
    return move / measured_sizes()[prompt][name]


def attribute_move(prompt: str, before: Measurements, after: Measurements) -> float | None:
    """Mean progress over the named axes that guidance can move; None where the prompt names none.

    A single axis counts from -2 to 2, so that one octave error does not decide; what cannot be measured has not moved.
    """
    style, moved = judged_styles()[prompt], moves(before, after)
    named = [name for name in named_axes(style) if name != NOT_BY_GUIDANCE]
    if style.breathiness >= WHISPER:
        named = [name for name in named if name not in VOICELESS]
    reached = [progress(prompt, name, moved, before) or 0.0 for name in named]
    return sum(min(max(x, -MOST), MOST) for x in reached) / len(reached) if reached else None


def _tolerance(name: str, style: Style) -> float | None:
    """How far a move may go that is not named; None where it is not judged by itself."""
    if name == BREATH:
        return None  # it follows pitch and effort; breath that is not named is seen in the voicing
    if name == VOICING:
        return None if style.breathiness >= AXES["breathiness"].floor else AXES["breathiness"].tolerance
    return AXES[name].tolerance


def _move_of(axis: str, style: Style) -> str:
    if axis != "breathiness":
        return axis
    return VOICING if style.breathiness >= WHISPER else BREATH
