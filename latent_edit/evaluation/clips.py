"""What is judged: descriptions of clips, which are made when a judge needs them and identified by their content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from latent_edit.data.styles import Style
from latent_edit.evaluation.code_hash import code_hash
from latent_edit.evaluation.effects import judged_prompts
from latent_edit.request import EditRequest
from latent_edit.types import Waveform

if TYPE_CHECKING:
    from latent_edit.data.world import Analysis
    from latent_edit.editor import LatentEditor

SAMPLING_RATE = 16_000
WORLD_MODULE = "latent_edit.data.world"
READER = "latent_edit.prompts.reader"


@dataclass(frozen=True)
class Sound:
    """samples: mono float32 [N], may exceed 1.0; rate in Hz."""

    samples: np.ndarray
    rate: int


class Clip(Protocol):
    """Something to listen to; equal identities are equal sounds."""

    @property
    def voice(self) -> str:
        """Whose voice it is in."""

    @property
    def text(self) -> str:
        """What is said in it."""

    def identity(self, editor: LatentEditor) -> list[Any]:
        """Everything that decides what it sounds like, as JSON values."""

    def render(self, editor: LatentEditor) -> Sound:
        """Make it."""


class OfSource:
    """A clip that is made from another, its source, and has the voice and the text of that."""

    source: Clip

    @property
    def voice(self) -> str:
        """The source's."""
        return self.source.voice

    @property
    def text(self) -> str:
        """The source's."""
        return self.source.text


class OfRequest:
    """A clip that says the text of its request in the voice of that."""

    request: EditRequest

    @property
    def voice(self) -> str:
        """The request's."""
        return self.request.voice

    @property
    def text(self) -> str:
        """The request's."""
        return self.request.text


@dataclass(frozen=True)
class Recording:
    """A real recording of a corpus."""

    path: Path
    voice: str
    text: str

    def identity(self, editor: LatentEditor) -> list[Any]:  # noqa: ARG002
        """The content of its file."""
        return ["recording", _file_hash(self.path)]

    def render(self, editor: LatentEditor) -> Sound:  # noqa: ARG002
        """Decode it."""
        from latent_edit.data.corpora import Utterance

        return Sound(Utterance(self.path, self.voice, self.text, "").read(SAMPLING_RATE), SAMPLING_RATE)


@dataclass(frozen=True)
class PlainSynthesis:
    """A text spoken without an edit: what an edit calls before."""

    text: str
    voice: str
    seed: int

    def identity(self, editor: LatentEditor) -> list[Any]:
        """Text, voice, seed, the weights of the voice, and the code."""
        return ["plain", self.text, self.voice, self.seed, editor.vits.hash, editor_code(editor)]

    def render(self, editor: LatentEditor) -> Sound:
        """Synthesise it."""
        return sound_of(editor.say(self.text, self.voice, self.seed).waveform)


@dataclass(frozen=True)
class Resynthesis(OfSource):
    """A recording encoded and decoded: the latent that an edit of it starts from.

    inverted: False for what the posterior encoder alone makes of it.
    """

    source: Recording
    inverted: bool = True

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The recording, the weights of the voice, and the code."""
        made = [self.voice, editor.vits.hash, self.inverted, editor_code(editor)]
        return ["resynthesis", *self.source.identity(editor), *made]

    def render(self, editor: LatentEditor) -> Sound:
        """Encode and decode."""
        import torch

        from latent_edit.audio import resample
        from latent_edit.optimize.corrections import invert

        sound, vits = self.source.render(editor), editor.vits
        samples = torch.from_numpy(resample(sound.samples, sound.rate, vits.sampling_rate))
        recording = Waveform.of(samples, vits.sampling_rate)
        latent = vits.encode_speech(recording, self.voice)
        if self.inverted:
            latent = invert(vits, latent, recording, self.voice)
        return sound_of(vits.decode(latent, self.voice))


@dataclass(frozen=True)
class WorldEdit(OfSource):
    """Another clip through WORLD in a style: the control on real speech, and the method `world`."""

    source: Recording | PlainSynthesis
    style: Style

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The source, the style and how WORLD makes it."""
        return ["world", *self.source.identity(editor), asdict(self.style), code_hash(WORLD_MODULE)]

    def render(self, editor: LatentEditor) -> Sound:
        """Analyse and synthesise."""
        from latent_edit.data.world import synthesise

        analysis = world_analysis(self.source, editor)
        return Sound(synthesise(analysis, self.style), analysis.sampling_rate)


@dataclass(frozen=True)
class Edit(OfRequest):
    """The after of an edit."""

    request: EditRequest

    @property
    def before(self) -> PlainSynthesis:
        """The plain synthesis that it starts from."""
        return PlainSynthesis(self.text, self.voice, self.request.seed)

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The request, all weights that it uses, and the code."""
        made = editor.hashes(self.request.method, self.request.prompt)
        return ["edit", self.request.to_dict(), made, editor_code(editor)]

    def render(self, editor: LatentEditor) -> Sound:
        """Edit."""
        return sound_of(editor.after(self.request).waveform)


def editor_code(editor: LatentEditor) -> str:
    """Hash of everything that syntheses and edits run through; of the prompt reader, what it says of judged prompts."""
    return hashlib.sha256(f"{code_hash(type(editor).__module__, READER)} {_readings(editor)}".encode()).hexdigest()[:32]


@lru_cache(maxsize=4)
def _readings(editor: LatentEditor) -> str:
    """Of each judged prompt what an edit is told, as JSON: not the words that it is told to a person in."""
    read = [editor.read_prompt(prompt) for prompt in judged_prompts()]
    return json.dumps([
        [one.text, one.values, sorted(one.exact), one.manner, one.manner_size, one.understood] for one in read
    ])  # fmt: skip


@lru_cache(maxsize=4)
def world_analysis(source: Recording | PlainSynthesis, editor: LatentEditor) -> Analysis:
    """WORLD parameters of a clip; one clip is edited in many styles, one after the other."""
    from latent_edit.data.world import analyse

    sound = source.render(editor)
    return analyse(sound.samples, sound.rate)


def sound_of(waveform: Waveform) -> Sound:
    """The first item of a waveform."""
    return Sound(waveform.item(0).numpy(), waveform.sampling_rate)


@lru_cache(maxsize=4096)
def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]
