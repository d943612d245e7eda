"""Parts that gradio does not have: HTML templates with a behaviour, kept in files beside this one.

They are functions and no subclasses of gr.HTML: for a subclass, gradio writes a .pyi file into the source folder.
gradio inserts {{...}} into a template and then runs ${...} in the outcome as a program. So what a visitor wrote goes
into the page through JavaScript (`textContent`) or as an escaped ${value}, never through {{...}}.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData

HERE = Path(__file__).parent


def static(text: str, elem_id: str, look: str | None = None) -> gr.HTML:
    """HTML that needs neither template nor behaviour; `look`: its CSS classes."""
    return gr.HTML(text, js_on_load=None, apply_default_css=False, elem_id=elem_id, elem_classes=look)


def part(name: str, elem_id: str, value: Any = None, **properties: Any) -> gr.HTML:
    """The template {name}.html, with {name}.js where there is one; `properties` are names that the template may use."""
    behaviour = HERE / f"{name}.js"
    return gr.HTML(
        value,
        html_template=(HERE / f"{name}.html").read_text(encoding="utf-8"),
        js_on_load=behaviour.read_text(encoding="utf-8") if behaviour.exists() else None,
        apply_default_css=False,
        elem_id=elem_id,
        elem_classes="part",
        **properties,
    )


def chips(choices: list[str], value: str, label: str, elem_id: str, look: str = "") -> gr.HTML:
    """A choice among a few words: one radio group, so that Tab reaches it once and arrow keys move inside.

    look: further classes; "switch" draws the words like tabs, "untitled" shows the label to screen readers only.

    Its value is the chosen word or "" for none; choosing fires `input`.
    """
    return part("chips", elem_id, value, label=label, choices=choices, group=elem_id, look=look)


def served_file(path: Path) -> dict[str, Any]:
    """What gradio recognises as a file inside a value: it copies it into its cache and adds the address as `url`."""
    return FileData(path=str(path), orig_name=path.name).model_dump()
