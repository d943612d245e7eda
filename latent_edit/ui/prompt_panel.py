"""What was understood of the prompt, shown while one types, and its axes to be set by hand for this edit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gradio as gr

from latent_edit.axes import AXES, LIMITS
from latent_edit.prompts.reader import read_prompt
from latent_edit.ui.parts import part
from latent_edit.wording import RATIOS, reading_lines, shown

if TYPE_CHECKING:
    from latent_edit.prompts.reading import AskedAxis, PromptReading
    from latent_edit.ui.actions import Actions

DESCRIPTION = """What a prompt asks for, as an edit understands it.

Returns the value asked of each axis with the words that it comes from (`axes`), and remarks (`lines`): the emotion,
words taken as others, words without a meaning here, and what an edit can't change. `/edit` and `/compare` take the same
object as `axes`, with values by name of an axis under `set`, which go before those of the prompt."""
STEP = {  # of a slider, in the axis' unit
    "pitch_semitones": 0.5, "range_ratio_log2": 0.1, "pace_log_ratio": math.log(2) / 20, "level_db": 1.0,
    "tilt_db": 0.5, "breathiness": 0.05, "tremor_semitones": 0.1,
}  # fmt: skip


def build_prompt_panel(prompt: gr.Textbox, actions: Actions) -> gr.HTML:
    """Draw the panel under the prompt; it follows what is typed; other words end what was set by hand."""
    panel = part("prompt_panel", "prompt-panel", panel_value(read_prompt(prompt.value)))
    prompt.change(
        actions.read_prompt, prompt, panel, queue=False, show_progress="hidden", trigger_mode="always_last",
        api_name="read_prompt", api_description=DESCRIPTION,
    )  # fmt: skip
    return panel


def panel_value(reading: PromptReading) -> dict[str, Any]:
    """What the panel shows of a reading: {"prompt", "axes": [...], "lines": [...]}.

    Without "set", what is set by hand stays as long as the prompt does.
    """
    axes, lines = [_axis(axis) for axis in reading.axes], reading_lines(reading)
    return {"prompt": reading.prompt, "axes": axes, "lines": lines}


def set_by_hand(value: Mapping[str, Any] | None) -> dict[str, float] | None:
    """The axes that a visitor has set in the panel, for `EditRequest.axes`."""
    chosen: dict[str, float] | None = (value or {}).get("set") or None
    return chosen


def _axis(asked: AskedAxis) -> dict[str, Any]:
    low, high = LIMITS[asked.name]
    return {
        "name": asked.name,
        "title": AXES[asked.name].title,
        "value": asked.value,
        "shown": shown(asked.name, asked.value),
        "words": ", ".join(asked.words),
        "named": asked.named or asked.exact,
        "low": low,
        "high": high,
        "step": STEP[asked.name],
        "base": RATIOS[asked.name][1] if asked.name in RATIOS else 0,
        "unit": RATIOS[asked.name][0] if asked.name in RATIOS else AXES[asked.name].unit or "%",
    }
