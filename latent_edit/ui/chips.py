"""Preset prompts as chips: one radio group, so that Tab reaches it once and the arrow keys move inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr


class Chips(gr.HTML):
    """Shows `choices` (props of chips.html); its value is the chosen one or None. Made to live by chips.js."""

    def __init__(self, choices: list[str], value: str | None, *, label: str, **options: Any) -> None:
        here = Path(__file__)
        super().__init__(
            value,
            html_template=here.with_name("chips.html").read_text(encoding="utf-8"),
            js_on_load=here.with_name("chips.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            choices=choices,
            legend=label,
            **options,
        )
