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
from latent_edit.ui.controls import same_and_others
from latent_edit.ui.heatmaps import heatmaps_value
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.measured import measured_value
from latent_edit.ui.notes import LOADING, notes_value
from latent_edit.ui.player import player_value
from latent_edit.ui.settings import A_SENTENCE, IN_WORDS, Settings

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
        source: str = A_SENTENCE,
        recording: str | None = None,
        style_source: str = IN_WORDS,
        reference: str | None = None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (how gradio learns that progress is wanted)
    ) -> Iterator[EditValues]:
        """Speak a sentence plainly and as the prompt describes; yields values for player, table, heatmaps and notes.

        The files are written into a folder of this run alone, which is removed once gradio has taken its copies.
        """
        settings = Settings(
            text, prompt, voice, decode_voice, method, strength, guidance, steps, pace_source, pace, seed,
            source, recording, style_source, reference,
        )  # fmt: skip
        with page_errors(recording, reference):
            if not self._loader.ready:
                progress(0, desc=LOADING)
            editor = self._loader.get()
            request = settings.request(editor.voices[0])
            result = editor.edit(request, lambda words, share: progress(share, desc=words.capitalize()))
            yield from edit_values(result)

    def nearest_voice(self, recording: str) -> str:
        """The voice that says a recording again with the least change."""
        with page_errors(recording):
            return self._loader.get().nearest_voice(Path(recording))

    def voices(self) -> list[str]:
        """Names of the voices that `/edit` knows."""
        with page_errors():
            return self._loader.get().voices

    def methods(self) -> dict[str, str]:
        """Names of the methods that `/edit` knows, with a line about each."""
        with page_errors():
            return self._loader.get().methods

    def choices(
        self, voice: str | None = None, decode_voice: str | None = None, method: str | None = None
    ) -> tuple[Update, Update, Update, str]:
        """What only the models know, once they are there: updates of voice, decode voice, method and status.

        What is chosen already, by a link, is kept where the models know it.
        """
        with page_errors():
            editor = self._loader.get()
        voices, methods = editor.voices, list(editor.methods)
        default = EditRequest.method if EditRequest.method in methods else next(iter(methods), None)
        return (
            gr.update(choices=voices, value=voice if voice in voices else voices[0]),
            gr.update(choices=same_and_others(voices), value=decode_voice if decode_voice in voices else ""),
            gr.update(choices=methods, value=method if method in methods else default, visible=len(methods) > 1),
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
def page_errors(*uploads: str | None) -> Iterator[None]:
    """An InputError becomes a short message, with the visitor's own names of uploads; the page stays as it was."""
    try:
        yield
    except InputError as error:
        # Messages are shown as HTML, and they quote what a visitor typed.
        message = str(error)
        for path in filter(None, uploads):
            message = message.replace(str(Path(path)), Path(path).name)
        message = html.escape(message, quote=False)
        raise gr.Error(message[:1].upper() + message[1:], print_exception=False) from error
