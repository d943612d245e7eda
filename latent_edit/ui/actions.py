"""What happens on the server when somebody presses a button.

Between two calls a visitor's last result is kept in a `gr.State` of this visitor alone: what one asks for afterwards is
about what one has heard.
"""

from __future__ import annotations

import html
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from latent_edit import audio
from latent_edit.errors import InputError
from latent_edit.prompts.reader import read_prompt
from latent_edit.request import EditRequest
from latent_edit.ui.bridge import bridge_value
from latent_edit.ui.controls import same_and_others
from latent_edit.ui.heatmaps import heatmaps_value, synthesis_heatmap_value
from latent_edit.ui.judged import judged_value
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.measured import measured_value
from latent_edit.ui.notes import LOADING, notes_value
from latent_edit.ui.player import player_value, synthesis_value
from latent_edit.ui.prompt_panel import panel_value
from latent_edit.ui.running import Running
from latent_edit.ui.settings import A_SENTENCE, IN_WORDS, NO_RECORDING, Settings, given, opening_voice

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor
    from latent_edit.result import EditResult
    from latent_edit.synthesis import Synthesis

    Shown = EditResult | None
else:
    Shown = Any  # gradio resolves these annotations when it builds the page, which must not need torch

Value = dict[str, Any] | None
EditValues = tuple[Value, Value, Value, str]  # of player, table, heatmaps and notes
Update = dict[str, Any]
ARCHIVE = "latent-edit.zip"


class Actions:
    """The endpoints of the page, over one editor that all visitors share."""

    def __init__(self, loader: EditorLoader) -> None:
        self._loader = loader
        self._edits, self._walks = Running(), Running()

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
        axes: dict[str, Any] | None = None,
        words: dict[str, Any] | None = None,
        visitor: gr.Request | None = None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (how gradio learns that progress is wanted)
    ) -> Iterator[tuple[Any, ...]]:
        """Speak a sentence plainly and as the prompt describes.

        Yields the values of player, table, heatmaps and notes, and the result to be kept: first of the plain synthesis
        alone, then of the edit.
        """
        settings = Settings(
            text, prompt, voice, decode_voice, method, strength, guidance, steps, pace_source, pace, seed,
            source, recording, style_source, reference, axes, words,
        )  # fmt: skip
        with page_errors(recording, reference), self._edits.cancellable(visitor, progress) as tell:
            keep_uploads(recording, reference)
            if not self._loader.ready:
                progress(0, desc=LOADING)
            editor = self._loader.get()
            yield from part_values(editor, settings.request(editor), tell)

    def editor(self) -> LatentEditor:
        """The editor, waiting for it if need be. Raises InputError when it could not be loaded."""
        return self._loader.get()

    @property
    def reads_english(self) -> bool:
        """Whether texts are read as English ones."""
        return self._loader.reads_english

    def read_prompt(self, prompt: str) -> dict[str, Any]:
        """What a prompt asks for; without the models, while they load or where they failed to, by our own words."""
        if self._loader.ready:
            with suppress(InputError):  # `status` says it
                return panel_value(self._loader.get().read_prompt(prompt))
        return panel_value(read_prompt(prompt))

    def stop(self, visitor: gr.Request | None = None) -> None:
        """End the visitor's edit at its next step."""
        self._edits.stop(visitor)

    def restore(self, shown: Shown, half_way: bool) -> Iterator[tuple[Any, ...]]:
        """When an edit ended half way, the values of the result before it, or of nothing; else what is there stays."""
        if not half_way:
            yield (gr.skip(),) * 4
        else:
            yield from edit_values(shown) if shown else [(None, None, None, "")]

    def download(self, shown: Shown) -> Iterator[str]:
        """A zip with everything about the edit: before.wav, after.wav, the three pictures and edit.json."""
        with page_errors(), own_folder() as folder:
            files = _needed(shown).save(folder / "files")
            with zipfile.ZipFile(folder / ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, path in files.items():
                    archive.write(path, name)
            yield str(folder / ARCHIVE)

    def along_the_bridge(
        self,
        shown: Shown,
        visitor: gr.Request | None = None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> Iterator[Value]:
        """Make the edit again and keep what every step of the bridge predicts."""
        clips = (shown.request.recording, shown.request.reference) if shown else ()
        with page_errors(*clips), self._walks.cancellable(visitor, progress) as tell, own_folder() as folder:
            result = _needed(shown)
            keep_uploads(*clips)
            stops = self._loader.get().along_the_bridge(result.request, tell)
            yield bridge_value(stops, result.gain, folder)

    def stop_walk(self, visitor: gr.Request | None = None) -> None:
        """End the visitor's way along the bridge at its next step."""
        self._walks.stop(visitor)

    def judge(self, shown: Shown) -> Value:
        """What recogniser and speaker encoder hear."""
        with page_errors():
            return judged_value(_needed(shown))

    def nearest_voice(self, recording: str | None) -> str:
        """The voice that says a recording again with the least change."""
        with page_errors(recording):
            return self._loader.get().nearest_voice(given(recording, NO_RECORDING))

    def voice_of(self, recording: str | None, voice: str | None) -> str | None:
        """The voice that is chosen, else the nearest of the recording; None where that is not to be found."""
        if voice or not recording:
            return voice
        try:
            return self._loader.get().nearest_voice(Path(recording))
        except InputError:  # the edit says it
            return None

    def voices(self) -> list[str]:
        """Names of the voices that `/edit` knows."""
        with page_errors():
            return self._loader.get().voices

    def methods(self) -> dict[str, str]:
        """Names of the methods that `/edit` knows, with a line about each."""
        with page_errors():
            return self._loader.get().methods

    def status(self) -> str:
        """HTML of the status under the button once the models are there or failed to load, which it then says."""
        try:
            self._loader.get()
        except InputError as error:  # the page stays readable, and says why nothing can be edited
            return html.escape(str(error), quote=False)
        return ""

    def choices(
        self, voice: str | None = None, decode_voice: str | None = None, method: str | None = None
    ) -> tuple[Update, Update, Update]:
        """What only the models know: updates of voice, decode voice and method.

        What is chosen already, by a link or an edit.json, is kept where the models know it.
        """
        try:
            editor = self._loader.get()
        except InputError:  # `status` says it
            return gr.update(), gr.update(), gr.update()
        voices, methods = editor.voices, editor.methods
        chosen = next((name for name in (method, editor.default_method) if name in methods), None)
        titled = [(title, name) for name, title in methods.items()]
        return (
            gr.update(choices=voices, value=voice if voice in voices else opening_voice(voices)),
            gr.update(choices=same_and_others(voices), value=decode_voice if decode_voice in voices else ""),
            gr.update(choices=titled, value=chosen, visible=len(methods) > 1),
        )


def part_values(
    editor: LatentEditor, request: EditRequest, tell: Callable[[str, float], None]
) -> Iterator[tuple[Any, ...]]:
    """The values of each part of an edit, and what is to be kept of it."""

    from latent_edit.synthesis import Synthesis

    for part in editor.edit_in_parts(request, tell):
        if isinstance(part, Synthesis):
            yield from ((*values, gr.skip()) for values in synthesis_values(part))  # an earlier result is kept
        else:
            yield from ((*values, part) for values in edit_values(part))


def edit_values(result: EditResult) -> Iterator[EditValues]:
    """The values of player, table, heatmaps and notes."""
    with own_folder() as folder:
        files = result.save(folder, with_figures=False)
        yield (
            player_value(result, files),
            measured_value(result),
            heatmaps_value(result, folder),
            notes_value(result),
        )


def synthesis_values(synthesis: Synthesis) -> Iterator[EditValues]:
    """The same while there is only the plain synthesis; nothing is measured yet."""
    with own_folder() as folder:
        samples = synthesis.waveform.item(0).numpy()
        audio.write_wav(folder / "before.wav", samples, synthesis.waveform.sampling_rate, audio.shared_gain(samples))
        yield synthesis_value(synthesis, folder / "before.wav"), None, synthesis_heatmap_value(synthesis, folder), ""


@contextmanager
def own_folder() -> Iterator[Path]:
    """A folder of this run alone, which is removed once gradio has taken its copies of the files."""
    with tempfile.TemporaryDirectory(prefix="latent_edit_") as folder:
        yield Path(folder)


def _needed(shown: Shown) -> EditResult:
    if shown is None:
        raise InputError("there is no edit yet, or it is too long ago; make one first")
    return shown


def keep_uploads(*uploads: str | Path | None) -> None:
    """Let the hour after which gradio deletes a visitor's clips begin anew: one may still ask about what they gave."""
    for upload in uploads:
        if upload:
            with suppress(OSError):  # what is gone already is reported where it is read
                os.utime(upload)


@contextmanager
def page_errors(*uploads: str | Path | None) -> Iterator[None]:
    """An InputError becomes a short message, with the visitor's own names of uploads; the page stays as it was."""
    try:
        yield
    except InputError as error:
        # Messages are shown as HTML, and they quote what a visitor typed.
        message = str(error)
        for path in (Path(upload) for upload in uploads if upload):
            message = message.replace(str(path), path.name)
        message = html.escape(message, quote=False)
        raise gr.Error(message[:1].upper() + message[1:], print_exception=False) from error
