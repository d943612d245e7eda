"""The tab in which one sentence is heard in several ways, and takes of earlier edits beside each other."""

from __future__ import annotations

from typing import Any

import gradio as gr

from latent_edit.config import preset_prompts
from latent_edit.ui.blind import build_blind
from latent_edit.ui.comparing import GUIDANCE, KINDS, MOST_EDITS, PROMPTS, SPEAKERS, Comparison
from latent_edit.ui.controls import Controls, show_chosen
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.parts import chips, part, static
from latent_edit.ui.results import EDITS, Results, focus

MOST_TAKES = 12
DESCRIPTION = """The same sentence in several ways.

`kind` is what varies: "Guidance", "Strength", "Seed" (four takes of the same request), "Prompts" (up to six, one on
each line of `prompts`), "Voices", "Methods", or "Speaker A/B", the paper's experiment in which one voice's latent is
spoken by the other's decoder. Returns what is held fixed, and a grid of cells, each with a WAV file, a heatmap of its
latent as PNG, and what was measured against its own plain reading.

Streams: the grid grows by a cell at a time."""
CANCEL_DESCRIPTION = """End the caller's running `/compare` at its next step; without one nothing happens.

That call then returns the cells that it had, or null."""
KEPT = """<h2>Kept takes</h2>
<p>“Keep this take” under an edit puts it here, as loud as it was there, until this page is closed.</p>"""
KEEP_TAKE = f"(player, heatmaps, takes) => window.keepTake(player, heatmaps, takes, {MOST_TAKES})"


def build_compare(loader: EditorLoader, controls: Controls, results: Results) -> None:
    """Draw the tab. Everything but what varies is as set in Edit; what is shown there can be kept here."""
    with gr.Column(elem_id="compare"):
        static("<p>The sentence, voice and settings of Edit, with one of them varied.</p>", "compare-remark")
        kind = chips([kind for kind in KINDS if kind != SPEAKERS], GUIDANCE, "What varies", "kind")
        prompts = gr.Textbox(
            "\n".join(preset_prompts()[:4]), label=f"Prompts, one on each line, up to {MOST_EDITS}",
            lines=4, max_lines=MOST_EDITS, visible=False, elem_id="prompts",
        )  # fmt: skip
        show_chosen(kind, {PROMPTS: prompts})
        with gr.Row(elem_id="run"):
            button = gr.Button("Compare", variant="primary", elem_id="run-compare")
            speakers = gr.Button("The paper's speaker grid, A/B", elem_id="run-speakers")
            cancel = gr.Button("Cancel", elem_id="cancel-compare", elem_classes="cancel")
        status = static("", "compare-status", "working")
        grid = part("grid", "compare-grid")
        static(KEPT, "kept")
        takes = part("grid", "takes")
        build_blind(takes)
    comparison = Comparison(loader)
    queued: dict[str, Any] = {
        "show_progress_on": status, "concurrency_limit": 1, "concurrency_id": EDITS, "trigger_mode": "once",
    }  # fmt: skip
    compared = button.click(
        comparison.compare, [*controls.inputs(), kind, prompts], grid, api_name="compare", api_description=DESCRIPTION,
        **queued,
    )  # fmt: skip
    at_once = [*controls.inputs(), gr.State(SPEAKERS), prompts]
    # No endpoint of its own: it is `/compare` with that kind.
    paired = speakers.click(comparison.compare, at_once, grid, api_visibility="private", **queued)
    cancel.click(
        comparison.stop, None, None, cancels=[compared, paired], js=focus("run-compare"), queue=False,
        show_progress="hidden", api_name="cancel_compare", api_description=CANCEL_DESCRIPTION,
    )  # fmt: skip
    results.keep.click(
        None, [results.player, results.heatmaps, takes], [takes, results.told], js=KEEP_TAKE, api_visibility="private"
    )
