"""What happens on the server when somebody presses a button. Between two calls nothing is kept but the editor."""

from __future__ import annotations

import html
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from latent_edit.errors import InputError
from latent_edit.request import EditRequest
from latent_edit.ui.controls import PACE_BY_HAND, same_and_others
from latent_edit.ui.heatmaps import heatmaps_value
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.measured import measured_value
from latent_edit.ui.notes import LOADING, notes_value
from latent_edit.ui.player import player_value

if TYPE_CHECKING:
    from latent_edit.result import EditResult

EditValues = tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]
Update = dict[str, Any]


class Actions:
    """The endpoints of the page, over one editor that all visitors share."""

    def __init__(self, loader: EditorLoader) -> None:
        self._loader = loader

    def edit(
        self,
        text: str,
        prompt: str,
        voice: str | None,
        decode_voice: str | None,
        method: str | None,
        strength: float,
        guidance: float,
        steps: int,
        pace_source: str,
        pace: float,
        seed: int,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (how gradio learns that progress is wanted)
    ) -> Iterator[EditValues]:
        """Speak a sentence plainly and as the prompt describes; yields values for player, table, heatmaps and notes.

        The files are written into a folder of this run alone, which is removed once gradio has taken its copies.
        """
        with page_errors():
            if not self._loader.ready:
                progress(0, desc=LOADING)
            editor = self._loader.get()
            request = EditRequest(
                text=text,
                prompt=prompt,
                voice=voice or editor.voices[0],  # the page has no voices to choose from until the models are there
                decode_voice=decode_voice or None,
                method=method or EditRequest.method,
                strength=strength,
                guidance=guidance,
                steps=steps,
                pace=pace if pace_source == PACE_BY_HAND else None,
                seed=seed,
            )
            result = editor.edit(request, lambda words, share: progress(share, desc=words.capitalize()))
            yield from edit_values(result)

    def voices(self) -> list[str]:
        """Names of the voices that `/edit` knows."""
        with page_errors():
            return self._loader.get().voices

    def methods(self) -> dict[str, str]:
        """Names of the methods that `/edit` knows, with a line about each."""
        with page_errors():
            return self._loader.get().methods

    def choices(self) -> tuple[Update, Update, Update, str]:
        """What only the models know, once they are there: updates of voice, decode voice, method and status."""
        with page_errors():
            editor = self._loader.get()
        voices, methods = editor.voices, list(editor.methods)
        method = EditRequest.method if EditRequest.method in methods else next(iter(methods), None)
        return (
            gr.update(choices=voices, value=voices[0]),
            gr.update(choices=same_and_others(voices), value=""),
            gr.update(choices=methods, value=method, visible=len(methods) > 1),
            "",
        )


def edit_values(result: EditResult) -> Iterator[EditValues]:
    """The values of player, table, heatmaps and notes.

    The files are written into a folder of this run alone, which is removed once gradio has taken its copies.
    """
    with tempfile.TemporaryDirectory(prefix="latent_edit_") as folder:
        files = result.save(folder, with_figures=False)
        yield (
            player_value(result, files),
            measured_value(result),
            heatmaps_value(result, Path(folder)),
            notes_value(result),
        )


@contextmanager
def page_errors() -> Iterator[None]:
    """An InputError becomes a short message; what the page shows stays as it was."""
    try:
        yield
    except InputError as error:
        # Messages are shown as HTML, and they quote what a visitor typed.
        message = html.escape(str(error), quote=False)
        raise gr.Error(message[:1].upper() + message[1:], print_exception=False) from error
