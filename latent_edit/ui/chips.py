"""A choice among a few words as chips: one radio group, so that Tab reaches it once and arrow keys move inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

NONE_CHOSEN = ""


class Chips(gr.HTML):
    """Its value is the chosen word or NONE_CHOSEN; `input` happens when somebody chooses. See chips.html and chips.js."""

    def __init__(self, choices: list[str], value: str, *, label: str, elem_id: str) -> None:
        here = Path(__file__)
        super().__init__(
            value,
            label=label,
            html_template=here.with_name("chips.html").read_text(encoding="utf-8"),
            js_on_load=here.with_name("chips.js").read_text(encoding="utf-8"),
            apply_default_css=False,
            elem_id=elem_id,
            choices=choices,
            group=elem_id,
        )

    def api_info(self) -> dict[str, Any]:
        """What a client may send."""
        return {"type": "string", "enum": self.props["choices"]}
