"""What an edit is made with: a frozen voice, a CLAP and the bridges trained for the two, by the names people know."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from latent_edit import checkpoint
from latent_edit.bridge import Bridge, load_bridge
from latent_edit.errors import CheckpointError
from latent_edit.models.clap import StyleEncoder, load_style_encoder
from latent_edit.models.vits import FrozenVits
from latent_edit.request import EditRequest, choose

VOICE_FOLDER, STYLE_FOLDER, BRIDGE_PREFIX = "vits-mini", "clap-mini", "bridge-"

LoadedT = TypeVar("LoadedT", bound="LoadedModels")


class LoadedModels:
    """The checkpoints in memory, and what a request may name of them."""

    def __init__(
        self,
        vits: FrozenVits,
        style_encoder: StyleEncoder,
        bridges: dict[str, Bridge],
        refused: dict[str, str] | None = None,
    ) -> None:
        """bridges: by method. refused: methods whose bridge belongs to another voice or CLAP, with the reason."""
        self.vits = vits
        self.style_encoder = style_encoder
        self.bridges = bridges
        self.refused = refused or {}

    @classmethod
    def load(cls: type[LoadedT], root: Path | None = None) -> LoadedT:
        """Load what lies below `root` (see `checkpoint.default_root`). Raises CheckpointError when it is damaged."""
        root = root or checkpoint.default_root()
        for folder in (root / VOICE_FOLDER, root / STYLE_FOLDER):
            checkpoint.verify(folder)
        vits, style_encoder = FrozenVits.load(root / VOICE_FOLDER), load_style_encoder(root / STYLE_FOLDER)
        bridges: dict[str, Bridge] = {}
        refused: dict[str, str] = {}
        for folder in sorted(root.glob(f"{BRIDGE_PREFIX}*")):
            checkpoint.verify(folder)
            method = folder.name.removeprefix(BRIDGE_PREFIX)
            try:
                bridges[method] = load_bridge(folder, vits, style_encoder)
            except CheckpointError as error:
                refused[method] = str(error)
        return cls(vits, style_encoder, bridges, refused)

    @property
    def voices(self) -> list[str]:
        """Names that a request may give as its voice."""
        return list(self.vits.speakers)

    @property
    def methods(self) -> dict[str, str]:
        """Names that a request may give as its method, with one line about each."""
        return {name: bridge.config.title for name, bridge in self.bridges.items()}

    @property
    def default_method(self) -> str:
        """The method of a request that names none; where that one is not there, the first."""
        default = EditRequest.method
        return default if default in self.bridges else next(iter(self.bridges), default)

    def speaker(self, voice: str) -> int:
        """Index of a voice. Raises InputError that names the known ones."""
        return self.vits.speaker_id(choose("voice", voice, self.voices))

    def bridge(self, method: str) -> Bridge:
        """The bridge of a method. Raises CheckpointError when there is none, InputError when the name is unknown."""
        if method in self.refused:
            raise CheckpointError(self.refused[method])
        if not self.bridges:
            raise CheckpointError(
                "there is no bridge for this voice; "
                "train one: python -m latent_edit train bridge --out checkpoints/bridge-i2sb"
            )
        return self.bridges[choose("method", method, self.bridges)]

    def hashes(self, method: str) -> dict[str, str]:
        """Content hashes of everything that an edit with `method` depends on."""
        words = getattr(self.style_encoder, "words_hash", None)  # of a CLAP that takes words as others
        return {
            "voice": self.vits.hash,
            "latent_space": self.vits.latent_hash,
            "style_encoder": self.style_encoder.hash,
            "bridge": self.bridge(method).hash,
            **({"words": words} if words else {}),
        }
