"""The same sentence in several ways, side by side: which edits that takes, and how long they may take at most."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from latent_edit.errors import InputError
from latent_edit.progress import Progress
from latent_edit.request import MAX_SEED, EditRequest
from latent_edit.ui.actions import keep_uploads, own_folder, page_errors
from latent_edit.ui.described import held_fixed
from latent_edit.ui.grid import Cell, grid_value
from latent_edit.ui.loading import EditorLoader
from latent_edit.ui.notes import LOADING
from latent_edit.ui.running import Running
from latent_edit.ui.settings import A_SENTENCE, IN_WORDS, Settings

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

GUIDANCE, STRENGTH, SEED, PROMPTS = "Guidance", "Strength", "Seed", "Prompts"
VOICES, METHODS, SPEAKERS = "Voices", "Methods", "Speaker A/B"
KINDS = [GUIDANCE, STRENGTH, SEED, PROMPTS, VOICES, METHODS, SPEAKERS]
GUIDANCE_VALUES = (1.0, 2.0, 3.0, 5.0)
STRENGTH_VALUES = (0.25, 0.5, 1.0, 1.5)
SEEDS = 4  # several takes of the same request
ABOUT_SPEAKERS = (
    "The paper's experiment (arXiv 2311.10804): the latent that one voice reads is edited and then spoken by its own "
    "decoder and by that of another voice. Each row keeps the voice that reads, each column the voice that speaks."
)
# One grid keeps everybody else waiting: at most so many edits of so many characters. Recordings are short anyway.
MOST_EDITS, MOST_CHARACTERS = 6, 200


class GridEdits(NamedTuple):
    """The edits of a grid with their titles, how many stand in a row (None: as many as fit), and what they show."""

    edits: list[tuple[str, EditRequest]]
    columns: int | None = None
    about: str = ""


def grid_edits(
    kind: str, base: EditRequest, prompts: str | None, voices: Sequence[str], methods: Mapping[str, str]
) -> GridEdits:
    """What is compared when `kind` varies and all else is as in `base`. Raises InputError when it is too much."""
    if len(base.text) > MOST_CHARACTERS:
        raise InputError(f"compare takes up to {MOST_CHARACTERS} characters, so that others need not wait: shorten it")
    if kind == GUIDANCE:
        return GridEdits(
            [(f"guidance {value:g}", dataclasses.replace(base, guidance=value)) for value in GUIDANCE_VALUES]
        )
    if kind == STRENGTH:
        return GridEdits(
            [(f"strength {value:g}", dataclasses.replace(base, strength=value)) for value in STRENGTH_VALUES]
        )
    if kind == SEED:
        seeds = [(base.seed + further) % (MAX_SEED + 1) for further in range(SEEDS)]
        return GridEdits([(f"seed {seed}", dataclasses.replace(base, seed=seed)) for seed in seeds])
    if kind == PROMPTS:
        lines = _lines(prompts)
        if not 1 <= len(lines) <= MOST_EDITS:
            raise InputError(f"write one to {MOST_EDITS} prompts, one on each line; there are {len(lines)}")
        return GridEdits([(line, dataclasses.replace(base, prompt=line, reference=None)) for line in lines])
    if kind == VOICES:
        return GridEdits(
            [(voice, dataclasses.replace(base, voice=voice, decode_voice=None)) for voice in voices[:MOST_EDITS]]
        )
    if kind == METHODS:
        named = list(methods.items())[:MOST_EDITS]
        return GridEdits([(f"{name}: {title}", dataclasses.replace(base, method=name)) for name, title in named])
    if kind == SPEAKERS:
        return _speakers(base, voices)
    raise InputError(f"there is no comparison {kind!r}; known: {', '.join(KINDS)}")


def _lines(prompts: str | None) -> list[str]:
    """Prompts, one on each line, without repetitions."""
    return list(dict.fromkeys(line.strip() for line in (prompts or "").splitlines() if line.strip()))


def _speakers(base: EditRequest, voices: Sequence[str]) -> GridEdits:
    """The paper's experiment: what a voice reads, spoken by its own decoder or by another's."""
    other = next((voice for voice in voices if voice != base.voice), None)
    if other is None:
        raise InputError("this takes two voices, and there is only one")
    pair = (base.voice, other)
    edits = [
        (f"{one} reads, {two} speaks", dataclasses.replace(base, voice=one, decode_voice=two))
        for one in pair
        for two in pair
    ]
    return GridEdits(edits, columns=2, about=ABOUT_SPEAKERS)


class Comparison:
    """The endpoint behind Compare."""

    def __init__(self, loader: EditorLoader) -> None:
        self._loader, self._running = loader, Running()

    def stop(self, visitor: gr.Request | None = None) -> None:
        """End the visitor's comparison at its next step; what is there already stays."""
        self._running.stop(visitor)

    def compare(
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
        kind: str = GUIDANCE,
        prompts: str | None = "",
        visitor: gr.Request | None = None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008  (how gradio learns that progress is wanted)
    ) -> Iterator[dict[str, Any]]:
        """Edit one sentence in several ways; yields the value of the grid each time that a cell is there."""
        settings = Settings(
            text, prompt, voice, decode_voice, method, strength, guidance, steps, pace_source, pace, seed,
            source, recording, style_source, reference, axes, words,
        )  # fmt: skip
        with page_errors(recording, reference), self._running.cancellable(visitor, progress) as tell:
            keep_uploads(recording, reference)
            if not self._loader.ready:
                progress(0, desc=LOADING)
            editor = self._loader.get()
            if kind == PROMPTS and (lines := _lines(prompts)):  # what Edit has in their place may be missing
                settings = dataclasses.replace(settings, prompt=lines[0], style_source=IN_WORDS)
            base = settings.request(editor)
            planned = grid_edits(kind, base, prompts, editor.voices, editor.methods)
            if kind == VOICES and len(editor.voices) > MOST_EDITS:
                gr.Info(f"The first {MOST_EDITS} of {len(editor.voices)} voices are compared.")
            fixed = held_fixed([request for _, request in planned.edits])
            for cells in _growing(editor, planned, tell):
                with own_folder() as folder:
                    yield grid_value(cells, folder, planned.columns, fixed, planned.about)


def _growing(editor: LatentEditor, planned: GridEdits, tell: Progress) -> Iterator[list[Cell]]:
    """The cells so far, after each edit of a plan; first the plain reading where all of them have the same."""
    cells: list[Cell] = []
    common = len({(request.voice, request.seed) for _, request in planned.edits}) == 1
    for index, (title, request) in enumerate(planned.edits):

        def stage(words: str, share: float, done: int = index, title: str = title) -> None:
            tell(f"{title}: {words}", (done + share) / len(planned.edits))

        result = editor.edit(request, stage)
        if common and not cells:
            cells.append(Cell.before("Before", result))
        cells.append(Cell.after(title, result))
        yield list(cells)
