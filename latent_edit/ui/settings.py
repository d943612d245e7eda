"""Everything that a visitor can set, as plain values: from the controls to a request, and back from a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latent_edit.errors import InputError
from latent_edit.request import EditRequest, choose
from latent_edit.ui.marked_words import marked, marked_value, words_as_read
from latent_edit.ui.prompt_panel import set_by_hand

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

A_SENTENCE, A_RECORDING = "Sentence", "Your recording"
IN_WORDS, LIKE_A_CLIP = "In words", "Like a clip"
CLEAREST_VOICE = "sam_a"  # the one that is understood best (checkpoints/README.md)
PACE_FROM_STYLE, PACE_BY_HAND = "From the style", "By hand"
CHOICES = {  # settings that are one of two words
    "pace_source": [PACE_FROM_STYLE, PACE_BY_HAND],
    "source": [A_SENTENCE, A_RECORDING],
    "style_source": [IN_WORDS, LIKE_A_CLIP],
}
NO_RECORDING = "there is no recording yet; record or upload what should be said"


def opening_voice(voices: Sequence[str]) -> str:
    """The voice that the page opens with."""
    return CLEAREST_VOICE if CLEAREST_VOICE in voices else voices[0]


@dataclass(frozen=True)
class Settings:
    """Values of the controls, in the order in which `Actions.edit` takes them.

    source chooses between text and recording, style_source between prompt and reference, pace_source whether pace
    counts; what is not chosen may stand there all the same. recording, reference: names of uploaded files. voice is
    None until the models are there, and until the nearest of a recording is found; decode_voice "" for the same. axes:
    value of the prompt panel, of which counts what is set by hand. words: which words of the text are changed, in
    "marked" ("3-5"; "" for all), beside the words themselves.
    """

    text: str
    prompt: str
    voice: str | None
    decode_voice: str | None
    method: str | None
    strength: float
    guidance: float
    steps: int
    pace_source: str
    pace: float
    seed: int
    source: str = A_SENTENCE
    recording: str | None = None
    style_source: str = IN_WORDS
    reference: str | None = None
    axes: dict[str, Any] | None = None
    words: dict[str, Any] | None = None

    def request(self, editor: LatentEditor) -> EditRequest:
        """What is asked for; where no voice is chosen, that of the page, or the nearest of a recording.

        Raises InputError.
        """
        for name, known in CHOICES.items():
            choose(name, str(getattr(self, name)), known)
        recording = reference = None
        if self.source == A_RECORDING:
            recording = given(self.recording, NO_RECORDING)
        if self.style_source == LIKE_A_CLIP:
            reference = given(self.reference, "there is no clip yet; record or upload one that sounds as you want it")
        return EditRequest(
            text=self.text if recording is None else "",
            recording=recording,
            prompt=self.prompt if reference is None else "",
            reference=reference,
            voice=self.voice or (editor.nearest_voice(recording) if recording else opening_voice(editor.voices)),
            decode_voice=self.decode_voice or None,
            method=self.method or editor.default_method,
            strength=self.strength,
            guidance=self.guidance,
            steps=self.steps,
            pace=self.pace if self.pace_source == PACE_BY_HAND else None,
            seed=self.seed,
            axes=set_by_hand(self.axes),
            words=marked(self.words) if recording is None else None,
        )

    @classmethod
    def of(cls, request: EditRequest, english: bool = True) -> Settings:
        """The settings that make this request, without its clips: they are files of whoever made it.

        english: whether the voices read that.
        """
        return cls(
            text=request.text,
            prompt=request.prompt,
            voice=request.voice,
            decode_voice=request.decode_voice or "",
            method=request.method,
            strength=request.strength,
            guidance=request.guidance,
            steps=request.steps,
            pace_source=PACE_FROM_STYLE if request.pace is None else PACE_BY_HAND,
            pace=1.0 if request.pace is None else request.pace,
            seed=request.seed,
            source=A_SENTENCE if request.recording is None else A_RECORDING,
            style_source=IN_WORDS if request.reference is None else LIKE_A_CLIP,
            axes={"set": dict(request.axes or {})},
            words={"words": words_as_read(request.text, english), "marked": marked_value(request.words)},
        )


def given(file: str | None, complaint: str) -> Path:
    """The file of a control. Raises InputError with this complaint where there is none."""
    if not file:
        raise InputError(complaint)
    return Path(file)
