"""The tab in which one sentence is heard in several ways, and takes of earlier edits beside each other."""

from __future__ import annotations

import gradio as gr

from latent_edit.config import preset_prompts
from latent_edit.ui.comparing import GUIDANCE, KINDS, MOST_EDITS, PROMPTS, Comparison
from latent_edit.ui.controls import Controls, show_chosen
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.parts import chips, part, static
from latent_edit.ui.results import EDITS, Results

MOST_TAKES = 12
DESCRIPTION = """The same sentence in several ways.

`kind` is what varies: "Guidance", "Prompts" (up to six, one on each line of `prompts`), "Voices", "Methods", or
"Speaker A/B", the paper's experiment in which one voice reads and the other's decoder speaks. Returns a grid of cells,
each with a WAV file, a heatmap of its latent as PNG, and what was measured against its own plain reading."""
# A take is what the page shows already, so that keeping one asks nothing of the server and stays with the visitor.
KEEP_TAKE = """(player, heatmaps, text, voice, takes) => {
  const after = player?.clips?.find((clip) => clip.name === "after");
  const picture = heatmaps?.pictures?.find((shown) => shown.name === "z_edit");
  if (!after || !picture) return takes;
  const detail = `${voice}, ${after.seconds.toFixed(1)} s`;
  const { manner: title, audio, seconds } = after;
  const take = { clip: "after", title, detail, audio, image: picture.image, seconds };
  const kept = [...(takes?.cells ?? []), take].slice(-MOST);
  const longest = Math.max(...kept.map((cell) => cell.seconds));
  return { columns: 0, cells: kept.map((cell) => ({ ...cell, share: (100 * cell.seconds) / longest })) };
}""".replace("MOST", str(MOST_TAKES))


def build_compare(loader: EditorLoader, controls: Controls, results: Results) -> None:
    """Draw the tab. Everything but what varies is as set in Edit; what is shown there can be kept here."""
    with gr.Column(elem_id="compare"):
        static("<p>The sentence, voice and settings of Edit, with one of them varied.</p>", "compare-remark")
        kind = chips(KINDS, GUIDANCE, "What varies", "kind")
        prompts = gr.Textbox(
            "\n".join(preset_prompts()[:4]), label=f"Prompts, one on each line, up to {MOST_EDITS}",
            lines=4, max_lines=MOST_EDITS, visible=False, elem_id="prompts",
        )  # fmt: skip
        show_chosen(kind, {PROMPTS: prompts})
        button = gr.Button("Compare", variant="primary", elem_id="run-compare")
        status = static("", "compare-status", "working")
        grid = part("grid", "compare-grid")
        static("<h2>Kept takes</h2><p>“Keep this take” under an edit puts it here, in this browser only.</p>", "kept")
        takes = part("grid", "takes")
    names = ("text", "prompt", "voice", "method", "strength", "guidance", "steps", "seed")
    inputs = [*(getattr(controls, name) for name in names), kind, prompts]
    button.click(
        Comparison(loader).compare, inputs, grid, api_name="compare", api_description=DESCRIPTION,
        show_progress_on=status, concurrency_limit=1, concurrency_id=EDITS, trigger_mode="once",
    )  # fmt: skip
    shown = [results.player, results.heatmaps, controls.text, controls.voice]
    results.keep.click(None, [*shown, takes], takes, js=KEEP_TAKE, api_visibility="private")
