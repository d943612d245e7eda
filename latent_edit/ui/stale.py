"""A result that belongs to other settings than those that stand beside it says so. All in the browser."""

from __future__ import annotations

import json
from dataclasses import fields

import gradio as gr

from latent_edit.ui.controls import Controls
from latent_edit.ui.parts import static
from latent_edit.ui.settings import A_RECORDING, LIKE_A_CLIP, PACE_BY_HAND, Settings

STALE = "The settings have changed since this edit. Press the button to hear them."
# What counts of the settings: of each switch only its chosen side, of a clip which file it is, of the axes what is set.
COUNTING = f"""(values) => {{
  const all = Object.fromEntries(NAMES.map((name, index) => [name, values[index]?.path ?? values[index] ?? ""]));
  all.axes = Object.entries(all.axes?.set ?? {{}}).sort();
  all.words = all.words?.marked ?? "";
  const unused = [
    all.source === {json.dumps(A_RECORDING)} ? ["text", "words"] : ["recording"],
    all.style_source === {json.dumps(LIKE_A_CLIP)} ? ["prompt"] : ["reference"],
    all.pace_source === {json.dumps(PACE_BY_HAND)} ? [] : ["pace"],
  ].flat();
  return JSON.stringify(NAMES.map((name) => unused.includes(name) ? "" : all[name]));
}}"""
# An edit without a voice takes the one that is found for its recording, which then appears among the settings.
COMPARE = f"""(...values) => {{
  if (!window.shownSettings) return "";
  const [shown, now] = [JSON.parse(window.shownSettings), JSON.parse(counting(values))];
  const voice = NAMES.indexOf("voice");
  const equal = (index) => JSON.stringify(shown[index]) === JSON.stringify(now[index]);
  const same = NAMES.every((name, index) => equal(index) || (index === voice && !shown[index]));
  return same ? "" : `<p role="status">{STALE}</p>`;
}}"""


def build_stale() -> gr.HTML:
    """The line above the results, at first empty."""
    return static("", "stale", "clip-note")


def asked() -> str:
    """JavaScript of the edit itself, which remembers what it was asked for: not what is pressed while one runs."""
    return f"(...all) => {{ {_known()} window.askedSettings = counting(all); return all; }}"


def connect_stale(stale: gr.HTML, controls: Controls, edited: gr.events.Dependency) -> None:
    """Compare whenever a setting changes, and when an edit is there: settings may have changed while it was made."""
    inputs = controls.inputs()
    compare = f"{_known()} return ({COMPARE})(...all);"
    shown = f"(...all) => {{ window.shownSettings = window.askedSettings; {compare} }}"
    edited.success(None, inputs, stale, js=shown, api_visibility="private")
    gr.on(
        [each.change for each in inputs],  # type: ignore[attr-defined]  # every one of them has it
        None, inputs, stale, api_visibility="private", js=f"(...all) => {{ {compare} }}",
    )  # fmt: skip


def _known() -> str:
    names = json.dumps([field.name for field in fields(Settings)])
    return f"const NAMES = {names}; const counting = {COUNTING};"
