"""Clips that tell what a speaker id does, in flow and decoder, and what a direction of the latent space does."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import torch

from latent_edit.evaluation.clips import (
    Clip,
    Edit,
    OfRequest,
    OfSource,
    PlainSynthesis,
    Recording,
    Sound,
    editor_code,
    sound_of,
)
from latent_edit.evaluation.code_hash import code_hash
from latent_edit.recording import levelled
from latent_edit.request import EditRequest
from latent_edit.types import Latent, Waveform

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor


@dataclass(frozen=True)
class SaidAgain(OfSource):
    """A recording of anybody, encoded and decoded as one of the voices."""

    source: Clip
    speaker: str

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The recording, the speaker, the weights of the voice, and the code."""
        made = [self.speaker, editor.vits.hash, editor_code(editor), code_hash(__name__)]
        return ["said again", *self.source.identity(editor), *made]

    def render(self, editor: LatentEditor) -> Sound:
        """Bring it to the loudness of the voices, encode and decode."""
        sound = self.source.render(editor)
        waveform = levelled(Waveform.of(torch.from_numpy(sound.samples), sound.rate))
        return sound_of(editor.vits.decode(editor.vits.encode_speech(waveform, self.speaker), self.speaker))


@dataclass(frozen=True)
class Exchanged(OfRequest):
    """A text in one voice, with or without the style of a clip, decoded as another voice.

    request: of the edit, without a decode voice; of the plain synthesis where `clip` is None. flow: whether the latent
    also goes through the flow as its own voice and back as the other, which is how VITS converts voices.
    """

    request: EditRequest
    clip: Recording | None
    decoder: str
    flow: bool

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The request, the content of the clip, who decodes and how, all weights, and the code."""
        asked = {**self.request.to_dict(), "reference": self.clip and self.clip.identity(editor)}
        code = [editor.hashes(self.request.method), editor_code(editor), code_hash(__name__)]
        return ["exchanged", asked, self.decoder, self.flow, *code]

    def render(self, editor: LatentEditor) -> Sound:
        """Edit, exchange the speaker, decode."""
        vits = editor.vits
        latent = edited_latent(self.request, self.clip is not None, editor)
        if self.flow:
            latent = vits.from_prior(vits.to_prior(latent, self.voice), self.decoder)
        return sound_of(vits.decode(latent, self.decoder))


@lru_cache(maxsize=8)
def edited_latent(request: EditRequest, edited: bool, editor: LatentEditor) -> Latent:
    """The latent of an edit, or of its plain synthesis; several decoders speak the same one after the other."""
    if edited:
        return editor.after(request).latent
    return editor.say(request.text, request.voice, request.seed).latent


@dataclass(frozen=True)
class ByHand(OfSource):
    """The default edit of a plain synthesis in words, with one axis set by hand and the pace left as it is."""

    source: PlainSynthesis
    prompt: str
    axis: str
    value: float

    @property
    def edit(self) -> Edit:
        """It as an edit; the request has a dict, which no key may have."""
        by_hand, seed = {self.axis: self.value}, self.source.seed
        return Edit(EditRequest(self.text, self.voice, self.prompt, seed=seed, pace=1.0, axes=by_hand))

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The edit's."""
        return self.edit.identity(editor)

    def render(self, editor: LatentEditor) -> Sound:
        """Edit."""
        return self.edit.render(editor)


@dataclass(frozen=True)
class Moved(OfSource):
    """A plain synthesis with the same vector added to every frame of its latent: Z + offset. offset: [C]."""

    source: PlainSynthesis
    offset: tuple[float, ...]

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The synthesis and the vector."""
        return ["moved", *self.source.identity(editor), list(self.offset), code_hash(__name__)]

    def render(self, editor: LatentEditor) -> Sound:
        """Add and decode."""
        latent = editor.say(self.text, self.voice, self.source.seed).latent
        moved = latent.z + torch.tensor(self.offset).to(latent.z)[None, :, None] * latent.mask
        return sound_of(editor.vits.decode(Latent(moved, latent.mask), self.voice))
