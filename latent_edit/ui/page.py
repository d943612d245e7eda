"""The page itself: what stands where, and which action each button calls."""

from __future__ import annotations

import os
from typing import Any

import gradio as gr
from fastapi import HTTPException, Request
from gradio import processing_utils, routes

from latent_edit.ui.about import build_about
from latent_edit.ui.actions import Actions
from latent_edit.ui.compare import build_compare
from latent_edit.ui.controls import Controls, build_controls
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.notes import loading_status
from latent_edit.ui.parts import part
from latent_edit.ui.results import EDITS, HOUR, Results, build_results, connect_cancel, connect_results
from latent_edit.ui.share_link import connect_share_link, open_on_arrival
from latent_edit.ui.stale import asked, build_stale, connect_stale
from latent_edit.ui.uploads import connect_uploads

TITLE = "Latent Edit"
EDIT_DESCRIPTION = """Speak a sentence plainly and as the prompt describes.

Returns before and after as WAV files with the phonemes' matching moments, the measurements as rows of text, the
heatmaps of Z_text, Z' and their difference as PNG files, and the notes in HTML. `voice` is one of `/voices`. With
`source` "Your recording" the file `recording` (up to 30 s) is said again instead of the text, without a `voice` by the
nearest one; with `style_source` "Like a clip" the file `reference` says how it should sound instead of the prompt.
`axes` is what `/read_prompt` returns, with values under `set` that go before those of the prompt. `words` as
`{"marked": "3-5"}` changes only these words, counted in the text as it is read.

Streams: the plain reading comes first, with `null` for what does not exist yet."""
# On a phone the result is below the button that made it: shown as soon as there is something to hear. When the edit is
# complete, the status above it goes, and the page moves along, unless the visitor reads further down already.
SHOW_PLAYER = """const player = document.querySelector("#player");
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const show = () => matchMedia("(max-width: 960px)").matches && player.scrollIntoView({ behavior });"""
SHOW_BEFORE = f"(value) => {{ {SHOW_PLAYER} if (value && !value.record) show(); }}"
SHOW_AFTER = f"() => {{ {SHOW_PLAYER} if (player.getBoundingClientRect().top > -120) setTimeout(show, 100); }}"


def build_page(loader: EditorLoader, examples: list[str]) -> gr.Blocks:
    """The page over an editor that may still be loading. Results leave gradio's cache within two hours."""
    actions = Actions(loader)
    processing_utils.async_ssrf_protected_download = refuse_address
    routes.secure_url_stream_response = refuse_to_pass_on
    reported = os.environ.get("GRADIO_ANALYTICS_ENABLED") == "True"  # where gradio does it unless told not to
    with gr.Blocks(title=TITLE, analytics_enabled=reported, delete_cache=(HOUR, HOUR)) as page:
        part("header", "header")
        # What a tab holds is drawn when it is opened.
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("Edit", elem_id="edit-tab"):
                controls, results = _edit_tab(page, loader, actions, examples)
            with gr.Tab("Compare", elem_id="compare-tab"):
                build_compare(loader, controls, results)
            with gr.Tab("About", elem_id="about-tab"):
                build_about()
        part("footer", "footer")
        gr.api(actions.voices, api_name="voices", queue=False)
        gr.api(actions.methods, api_name="methods", queue=False)
    return page


async def refuse_address(url: str, cache_dir: str) -> str:  # noqa: ARG001  (gradio's own parameters)
    """In place of gradio's download: an address instead of a file would be fetched whole, however large it is."""
    raise gr.Error("Send the file itself; addresses are not fetched.", print_exception=False)


async def refuse_to_pass_on(url: str, request: Request) -> None:  # noqa: ARG001  (gradio's own parameters)
    """In place of gradio's proxy, by which anybody could fetch anything through this server."""
    raise HTTPException(403, "Only files of this page are served; addresses are not fetched.")


def _edit_tab(page: gr.Blocks, loader: EditorLoader, actions: Actions, examples: list[str]) -> tuple[Controls, Results]:
    """What a visitor sees first: the controls on the left, what came of them on the right."""
    with gr.Row(elem_id="desk"):
        with gr.Column(elem_id="controls"):
            controls, button, cancel, status = build_controls(examples, loading_status(), loader, actions)
        with gr.Column(elem_id="results"):
            stale = build_stale()
            results = build_results()
    edited = gr.on(
        [button.click, controls.prompt.submit], actions.edit, controls.inputs(), [*results.outputs(), results.shown],
        js=asked(), api_name="edit", api_description=EDIT_DESCRIPTION, show_progress_on=status,
        concurrency_limit=1, concurrency_id=EDITS, trigger_mode="once",
    )  # fmt: skip
    results.player.change(None, results.player, None, js=SHOW_BEFORE, api_visibility="private")
    edited.success(None, None, None, js=SHOW_AFTER, api_visibility="private")
    connect_cancel(cancel, edited, results, actions)
    connect_results(results, actions)
    connect_stale(stale, controls, edited)
    connect_uploads(controls, actions)
    connect_share_link(results, controls, actions)
    # Not queued: waiting for the models must not take a place from those who edit. What is chosen is looked at only
    # when they are there, since one may open an edit.json while they load. No endpoints: they fill the page's own parts
    # with what `/voices` and `/methods` tell.
    known = [controls.voice, controls.decode_voice, controls.method]
    quietly: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
    loaded = page.load(actions.status, None, status, **quietly).then(actions.choices, known, known, **quietly)
    # What was typed meanwhile is read again, by the words that the models know.
    loaded = loaded.then(actions.read_prompt, controls.prompt, controls.axes, **quietly)
    open_on_arrival(loaded, edited, controls, actions)
    return controls, results
