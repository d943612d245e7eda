"""Settings that outlive a visit: in the edit.json of an edit, and in a link. The server keeps neither."""

from __future__ import annotations

import dataclasses
import html
import json
from typing import Any

import gradio as gr

from latent_edit.request import EditRequest, read_record, record_notes
from latent_edit.ui.actions import page_errors
from latent_edit.ui.controls import Controls
from latent_edit.ui.parts import static
from latent_edit.ui.settings import CHOICES, Settings, given

# What a link carries, under the names of the controls; clips are files and stay where they are.
LINKED = (
    "text", "prompt", "voice", "decode_voice", "method", "strength", "guidance", "steps", "pace_source", "pace", "seed",
    "source", "style_source",
)  # fmt: skip
NUMBERS = ("strength", "guidance", "steps", "pace", "seed")
DESCRIPTION = """The settings in an edit.json (`record`), in the order in which `/edit` takes them.

Clips are no part of the file, so `recording` and `reference` are null: where `source` or `style_source` says that one
was used, give it again."""
# The address bar always works; the clipboard only where the browser allows it.
WRITE_LINK = """(...values) => {
  const url = new URL(location.href);
  NAMES.forEach((name, index) => url.searchParams.set(name, values[index] ?? ""));
  history.replaceState(null, "", url);
  const shown = (words) => `<p role="status">${words}</p>`;
  const here = shown("The address of this page now carries the settings.");
  if (!navigator.clipboard) return here;
  return navigator.clipboard.writeText(url.href).then(() => shown("Link copied."), () => here);
}"""
READ_LINK = """(...values) => {
  const given = new URLSearchParams(location.search);
  return values.map((value, index) => {
    const text = given.get(NAMES[index]);
    if (text === null) return value;
    if (NAMES[index] in CHOICES) return CHOICES[NAMES[index]].includes(text) ? text : value;
    if (!NUMBERS.includes(NAMES[index])) return text;
    return text.trim() && Number.isFinite(Number(text)) ? Number(text) : value;
  });
}"""


def build_share_link(page: gr.Blocks, controls: Controls) -> gr.events.Dependency:
    """The two quiet buttons below the controls, and the reading of a link; returned is the event after that reading."""
    with gr.Row(elem_id="share-link"):
        link = gr.Button("Copy a link to these settings", size="sm", elem_id="copy-link", elem_classes="quiet")
        record = gr.UploadButton(
            "Open settings", size="sm", file_types=[".json"], elem_id="open-record", elem_classes="quiet"
        )
    told = static("", "link-told")
    linked = [getattr(controls, name) for name in LINKED]
    names = f"const NAMES = {json.dumps(LINKED)}, NUMBERS = {json.dumps(NUMBERS)}, CHOICES = {json.dumps(CHOICES)};"
    link.click(None, linked, told, js=f"(...all) => {{ {names} return ({WRITE_LINK})(...all); }}",
               api_visibility="private")  # fmt: skip
    # Queued, because gradio shows no message of anything else; it waits for nobody.
    record.upload(
        open_record, record, controls.inputs(), concurrency_limit=None, show_progress="hidden",
        api_name="open_record", api_description=DESCRIPTION,
    )  # fmt: skip
    return page.load(None, linked, linked, js=f"(...all) => {{ {names} return ({READ_LINK})(...all); }}",
                     api_visibility="private")  # fmt: skip


def open_record(record: str | None) -> tuple[Any, ...]:
    """Values for all controls from an edit.json; says what the file could not bring along."""
    with page_errors(record):
        path = given(record, "there is no file; give an edit.json")
        request = EditRequest.from_json(path)
        for note in record_notes(read_record(path)):
            gr.Warning(note)
    clips = [name for name in ("recording", "reference") if getattr(request, name) is not None]
    if clips:
        then = f", then choose {html.escape(request.voice)} again" if request.recording else ""
        gr.Warning(f"This edit used a {' and a '.join(clips)} clip. It is not part of edit.json: give it again{then}.")
    without = ("prior_noise", "duration_noise", "correction", "axes")
    hidden = [name for name in without if getattr(request, name) != getattr(EditRequest, name)]
    if hidden:
        gr.Warning(
            f"The page has no control for {' and '.join(hidden)}, and uses the default. To make exactly this edit: "
            "python -m latent_edit edit --repeat edit.json --out FOLDER."
        )
    return dataclasses.astuple(Settings.of(request))
