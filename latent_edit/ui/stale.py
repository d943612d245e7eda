"""A result that belongs to other settings than those that stand beside it says so. All in the browser."""

from __future__ import annotations

import json

import gradio as gr

from latent_edit.ui.controls import Controls
from latent_edit.ui.parts import static
from latent_edit.ui.settings import A_RECORDING, LIKE_A_CLIP, PACE_BY_HAND

STALE = "The settings have changed since this edit. Press the button to hear them."
# What counts of the settings: of each switch only its chosen side, and of a clip which file it is.
COUNTING = f"""(values) => {{
  const all = Object.fromEntries(NAMES.map((name, index) => [name, values[index]?.path ?? values[index] ?? ""]));
  const unused = [
    all.source === {json.dumps(A_RECORDING)} ? "text" : "recording",
    all.style_source === {json.dumps(LIKE_A_CLIP)} ? "prompt" : "reference",
    all.pace_source === {json.dumps(PACE_BY_HAND)} ? "" : "pace",
  ];
  return JSON.stringify(NAMES.map((name) => unused.includes(name) ? "" : all[name]));
}}"""
ASK = "(...values) => { window.askedSettings = counting(values); return []; }"
# An edit without a voice takes the one that is found for its recording, which then appears among the settings.
COMPARE = f"""(...values) => {{
  if (!window.shownSettings) return "";
  const [shown, now] = [JSON.parse(window.shownSettings), JSON.parse(counting(values))];
  const voice = NAMES.indexOf("voice");
  const same = NAMES.every((name, index) => shown[index] === now[index] || (index === voice && !shown[index]));
  return same ? "" : `<p role="status">{STALE}</p>`;
}}"""


def build_stale() -> gr.HTML:
    """The line above the results, at first empty."""
    return static("", "stale", "clip-note")


def _known(controls: Controls) -> str:
    names = json.dumps([each.elem_id.replace("-", "_") for each in controls.inputs() if each.elem_id])
    return f"const NAMES = {names}; const counting = {COUNTING};"


def remember_settings(controls: Controls, button: gr.Button) -> None:
    """Remember what an edit is asked for. Connected before the edit: of one click gradio does one thing at a time."""
    gr.on(
        [button.click, controls.prompt.submit], None, controls.inputs(), None, api_visibility="private",
        js=f"(...all) => {{ {_known(controls)} return ({ASK})(...all); }}",
    )  # fmt: skip


def connect_stale(stale: gr.HTML, controls: Controls, edited: gr.events.Dependency) -> None:
    """Compare when an edit is there, and whenever a setting changes."""
    inputs, known = controls.inputs(), _known(controls)
    compare = f"{known} return ({COMPARE})(...all);"
    # Settings may have changed while the edit was made.
    shown = f"(...all) => {{ window.shownSettings = window.askedSettings; {compare} }}"
    edited.success(None, inputs, stale, js=shown, api_visibility="private")
    gr.on(
        [each.change for each in inputs],  # type: ignore[attr-defined]  # every one of them has it
        None, inputs, stale, api_visibility="private", js=f"(...all) => {{ {compare} }}",
    )  # fmt: skip
