"""The results' side of the page: what is shown of an edit, and what a visitor can ask about it afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.components import Component

from latent_edit.ui.actions import Actions
from latent_edit.ui.parts import part, static

HOUR = 3600  # seconds
EDITS = "edits"  # whatever computes shares one place in the queue
DOWNLOAD_DESCRIPTION = """Everything about the caller's last edit in one zip.

It holds before.wav, after.wav, edit.json, z_text.png, z_edit.png and difference.png, and the clips that were given.
Call `/edit` first."""
BRIDGE_DESCRIPTION = """Along the bridge: hear and see the caller's last edit step by step.

Returns the stops from the re-timed Z_text to Z', each with a WAV file and a heatmap as PNG; the ones between are the
clean latents that the steps predict, the last one's as it has landed. Of many steps at most 20 are taken. Call `/edit`
first."""
JUDGE_DESCRIPTION = """What judges that know nothing of this model hear in the caller's last edit.

Returns the words that a recogniser hears before and after, and the cosine of the two voices for a speaker encoder. Null
where the judge is not installed, which `missing` then says. Call `/edit` first."""
CANCEL_EDIT_DESCRIPTION = """End the caller's running `/edit` at its next step; without one nothing happens.

That call then returns what it had: the plain reading, or null. One that waits for its turn is not running yet."""
CANCEL_BRIDGE_DESCRIPTION = """End the caller's running `/bridge` at its next step; without one nothing happens.

That call then returns null."""
SAVE_FILE = """(file) => {
  const link = document.createElement("a");
  link.href = file.url;
  link.download = file.orig_name;
  link.click();
}"""


HALF_WAY = "(shown, player) => [shown, Boolean(player && !player.record)]"


@dataclass(frozen=True)
class Results:
    """The components. shown: the `EditResult` that a visitor sees, kept for this visitor alone."""

    player: gr.HTML
    keep: gr.Button
    link: gr.Button
    record: gr.UploadButton
    save: gr.Button
    download: gr.Button
    told: gr.HTML
    notes: gr.HTML
    table: gr.HTML
    judged: gr.HTML
    heatmaps: gr.HTML
    bridge: gr.HTML
    cancel_bridge: gr.Button
    archive: gr.File
    shown: gr.State

    def outputs(self) -> list[Component]:
        """What an edit fills, in the order of `Actions.edit`."""
        return [self.player, self.table, self.heatmaps, self.notes]


def build_results() -> Results:
    """Draw the parts, empty."""
    player = part("player", "player")
    with gr.Row(elem_id="settings"):  # opened and saved in one place; what takes an edit is seen when there is one
        keep = _quiet("Keep this take", "keep")
        link = _quiet("Copy a link", "copy-link")
        record = gr.UploadButton(
            "Open settings", size="sm", file_types=[".json"], elem_id="open-record", elem_classes="quiet"
        )
        save = _quiet("Save settings", "save-record")
        download = _quiet("Download everything", "download-all")
    return Results(
        player=player,
        keep=keep,
        link=link,
        record=record,
        save=save,
        download=download,
        told=static("", "settings-told"),
        notes=part("notes", "notes"),
        table=part("measured", "measured"),
        judged=part("judged", "judged"),
        heatmaps=part("heatmaps", "heatmaps"),
        bridge=part("bridge", "bridge"),
        cancel_bridge=gr.Button("Cancel", elem_id="cancel-bridge", elem_classes="cancel"),
        archive=gr.File(visible="hidden"),  # in the page, so that the browser gets the address of the file
        shown=gr.State(None, time_to_live=HOUR),
    )


def _quiet(label: str, elem_id: str) -> gr.Button:
    return gr.Button(label, size="sm", elem_id=elem_id, elem_classes="quiet")


def connect_results(results: Results, actions: Actions) -> None:
    """What the buttons inside the parts do."""
    # What was asked about an edit, and that it was kept, goes when another takes its place.
    about_it = [results.judged, results.bridge, results.told]
    results.player.change(None, None, about_it, js="() => [null, null, '']", api_visibility="private")
    save = f"({{ record }}) => ({SAVE_FILE})(record)"
    results.save.click(None, results.player, None, js=save, api_visibility="private")
    download = results.download.click(
        actions.download, results.shown, results.archive, api_name="download", api_description=DOWNLOAD_DESCRIPTION,
        show_progress_on=results.notes, concurrency_limit=1, concurrency_id=EDITS, trigger_mode="once",
    )  # fmt: skip
    download.success(None, results.archive, None, js=SAVE_FILE, api_visibility="private")
    results.judged.submit(
        actions.judge, results.shown, results.judged, api_name="judge", api_description=JUDGE_DESCRIPTION,
        concurrency_limit=1, concurrency_id=EDITS, trigger_mode="once",
    )  # fmt: skip
    walk = results.bridge.submit(
        actions.along_the_bridge, results.shown, results.bridge, api_name="bridge", api_description=BRIDGE_DESCRIPTION,
        concurrency_limit=1, concurrency_id=EDITS, trigger_mode="once",
    )  # fmt: skip

    results.cancel_bridge.click(
        actions.stop_walk, None, None, cancels=[walk], js=focus("bridge .asking"), queue=False, show_progress="hidden",
        api_name="cancel_bridge", api_description=CANCEL_BRIDGE_DESCRIPTION,
    )  # fmt: skip


def connect_cancel(cancel: gr.Button, edited: gr.events.Dependency, results: Results, actions: Actions) -> None:
    """Cancelling, or failing half way, brings back what was shown before. Not queued: it must not wait for its turn."""
    options: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    cancel.click(
        actions.stop, None, None, cancels=[edited], js=focus("edit"), api_name="cancel_edit",
        api_description=CANCEL_EDIT_DESCRIPTION, **options,
    )  # fmt: skip
    # gradio counts a cancelled edit as failed, unless it has ended by then. No endpoint: programs keep their results.
    for ended in (edited.failure, edited.success):
        ended(
            actions.restore, [results.shown, results.player], results.outputs(), js=HALF_WAY, api_visibility="private",
            **options,
        )  # fmt: skip


def focus(elem_id: str) -> str:
    """JavaScript that moves the keyboard to a button, because the one that was pressed goes out of sight."""
    return f"() => {{ document.querySelector('#{elem_id}').focus(); return []; }}"
