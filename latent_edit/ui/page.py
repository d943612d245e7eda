"""The page itself: what stands where, and which action each button calls."""

from __future__ import annotations

import gradio as gr

from latent_edit.ui.actions import Actions
from latent_edit.ui.controls import Controls, build_controls
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.notes import loading_status
from latent_edit.ui.parts import part
from latent_edit.ui.results import EDITS, HOUR, build_results, connect_cancel, connect_results

TITLE = "Latent Edit"
EDIT_DESCRIPTION = """Speak a sentence plainly and as the prompt describes.

Returns before and after as WAV files with the phonemes' matching moments, the measurements as rows of text, the
heatmaps of Z_text, Z' and their difference as PNG files, and the notes in HTML. `voice` is one of `/voices`. Streams:
the plain reading comes first, with `null` for what does not exist yet."""
# On a phone the result is below the button that made it.
SHOW_RESULT = """() => {
  if (!matchMedia("(max-width: 960px)").matches) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  document.querySelector("#player").scrollIntoView({ behavior: calm ? "auto" : "smooth" });
}"""


def build_page(loader: EditorLoader, examples: list[str]) -> gr.Blocks:
    """The page over an editor that may still be loading. Results leave gradio's cache within two hours."""
    actions = Actions(loader)
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=(HOUR, HOUR)) as page:
        part("header", "header")
        with gr.Row(elem_id="desk"):
            with gr.Column(elem_id="controls"):
                controls, button, cancel, status = build_controls(examples, loading_status())
            with gr.Column(elem_id="results"):
                results = build_results()
        part("footer", "footer")
        edited = gr.on(
            [button.click, controls.prompt.submit], actions.edit, controls.inputs(),
            [*results.outputs(), results.shown], api_name="edit", api_description=EDIT_DESCRIPTION,
            show_progress_on=status, concurrency_limit=1, concurrency_id=EDITS, trigger_mode="once",
        )  # fmt: skip
        edited.success(None, None, None, js=SHOW_RESULT, api_visibility="private")
        connect_cancel(cancel, edited, results, actions)
        connect_results(results, actions)
        _fill_in(page, actions, controls, status)
        gr.api(actions.voices, api_name="voices", queue=False)
        gr.api(actions.methods, api_name="methods", queue=False)
    return page


def _fill_in(page: gr.Blocks, actions: Actions, controls: Controls, status: gr.HTML) -> None:
    """Show what only the models know. Not queued: waiting for them must not take a place from those who edit."""
    page.load(
        actions.choices, None, [controls.voice, controls.decode_voice, controls.method, status],
        queue=False, show_progress="hidden", api_visibility="private",
    )  # fmt: skip
