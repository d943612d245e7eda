"""What is judged: descriptions of clips that can be made when a judge wants to hear them, and are known by content."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

import latent_edit
from latent_edit.data.styles import Style
from latent_edit.request import EditRequest
from latent_edit.types import Waveform

if TYPE_CHECKING:
    from latent_edit.data.world import Analysis
    from latent_edit.editor import LatentEditor

SAMPLING_RATE = 16_000
# What readings, copies and edits go through: modules and packages of this project.
SPOKEN_BY = ("audio", "bridge", "diffusion", "models", "pipeline", "reading", "recording", "sentences", "types")


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
class Said:
    """The plain reading of a text: what an edit calls before."""

    text: str
    voice: str
    seed: int

    def identity(self, editor: LatentEditor) -> list[Any]:
        """Words, voice, seed, the weights of the voice, and the code."""
        return ["said", self.text, self.voice, self.seed, editor.vits.hash, code_hash(*SPOKEN_BY)]

    def render(self, editor: LatentEditor) -> Sound:
        """Read it."""
        return _sound(editor.say(self.text, self.voice, self.seed).waveform)


@dataclass(frozen=True)
class Copied:
    """Copy-synthesis: a recording as the latent that an edit of it starts from, and back.

    refined: False for what the posterior encoder alone makes of it.
    """

    recording: Recording
    refined: bool = True

    @property
    def voice(self) -> str:
        """The recording's."""
        return self.recording.voice

    @property
    def text(self) -> str:
        """The recording's."""
        return self.recording.text

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The recording, the weights of the voice, and the code."""
        made = [self.voice, editor.vits.hash, self.refined, code_hash(*SPOKEN_BY)]
        return ["copied", *self.recording.identity(editor), *made]

    def render(self, editor: LatentEditor) -> Sound:
        """Encode and decode."""
        import torch

        from latent_edit.audio import resample
        from latent_edit.optimize.corrections import invert

        sound, vits = self.recording.render(editor), editor.vits
        samples = torch.from_numpy(resample(sound.samples, sound.rate, vits.sampling_rate))
        recording = Waveform.of(samples, vits.sampling_rate)
        latent = vits.encode_speech(recording, self.voice)
        if self.refined:
            latent = invert(vits, latent, recording, self.voice)
        return _sound(vits.decode(latent, self.voice))


@dataclass(frozen=True)
class Rendered:
    """Another clip through WORLD in a style: the control for what styles do to real speech, and the method `world`."""

    source: Recording | Said
    style: Style

    @property
    def voice(self) -> str:
        """The source's."""
        return self.source.voice

    @property
    def text(self) -> str:
        """The source's."""
        return self.source.text

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The source, the style and how styles are rendered."""
        return ["rendered", *self.source.identity(editor), asdict(self.style), code_hash("data/world", "measures")]

    def render(self, editor: LatentEditor) -> Sound:
        """Analyse and synthesise."""
        from latent_edit.data.world import synthesise

        analysis = _analysed(self.source, editor)
        return Sound(synthesise(analysis, self.style), analysis.sampling_rate)


@dataclass(frozen=True)
class Edited:
    """The after of an edit."""

    request: EditRequest

    @property
    def voice(self) -> str:
        """The request's."""
        return self.request.voice

    @property
    def text(self) -> str:
        """The request's."""
        return self.request.text

    @property
    def before(self) -> Said:
        """The plain reading that it starts from."""
        return Said(self.text, self.voice, self.request.seed)

    def identity(self, editor: LatentEditor) -> list[Any]:
        """The request, all weights that it uses, and the code."""
        return ["edited", self.request.to_dict(), editor.hashes(self.request.method), code_hash(*SPOKEN_BY)]

    def render(self, editor: LatentEditor) -> Sound:
        """Edit."""
        return _sound(editor.after(self.request).waveform)


@lru_cache(maxsize=4)
def _analysed(source: Recording | Said, editor: LatentEditor) -> Analysis:
    """WORLD parameters of a clip; one clip is rendered in many styles, one after the other."""
    from latent_edit.data.world import analyse

    sound = source.render(editor)
    return analyse(sound.samples, sound.rate)


def _sound(waveform: Waveform) -> Sound:
    return Sound(waveform.item(0).numpy(), waveform.sampling_rate)


@lru_cache(maxsize=16)
def code_hash(*names: str) -> str:
    """Of what modules and packages do: what was made or judged by others is made or judged anew.

    Comments and docstrings do not count.
    """
    digest, root = hashlib.sha256(), Path(latent_edit.__file__).parent
    for name in names:
        files = sorted((root / name).rglob("*.py")) or [root / f"{name}.py"]
        digest.update("".join(_statements(file) for file in files).encode())
    return digest.hexdigest()[:32]


def _statements(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            body[:] = [item for item in body if not _is_words(item)]
    return ast.unparse(tree)


def _is_words(item: ast.stmt) -> bool:
    """Whether it is a docstring."""
    return isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)


@lru_cache(maxsize=4096)
def _file_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:32]
