"""CLAP: words and clips in one space of styles. One protocol, three backends, loaded when first used."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from torch import Tensor

from latent_edit import checkpoint
from latent_edit.axes import AxisValue
from latent_edit.errors import CheckpointError
from latent_edit.types import Waveform


class StyleEncoder(Protocol):
    """What the editor needs of a CLAP. Embeddings are deterministic, [B, D] float32 of unit norm, on the CPU."""

    @property
    def name(self) -> str:
        """Which backend or model it is, for people."""

    @property
    def dimension(self) -> int:
        """D of the embeddings."""

    @property
    def hash(self) -> str:
        """SHA-256 over the weights: a bridge belongs to one."""

    @property
    def sampling_rate(self) -> int:
        """Hz that it listens at; other clips are resampled."""

    def embed_text(self, prompts: list[str]) -> Tensor:
        """Style of each prompt, [B, D]."""

    def embed_audio(self, waveform: Waveform) -> Tensor:
        """Style of each clip, [B, D]."""

    def axes(self, embedding: Tensor) -> dict[str, AxisValue]:
        """What one style [1, D] asks of each axis; empty where the encoder has no axis head."""

    def unknown_words(self, prompt: str) -> list[str]:
        """Words of the prompt without a meaning for this encoder; empty where it has an open vocabulary."""


def load_style_encoder(source: str | Path) -> StyleEncoder:
    """The encoder of a folder, a file or a hub name. Raises CheckpointError.

    A folder with our config.json: clap-mini (a bare name is looked up in `checkpoint.default_root()`). A folder of
    transformers' `ClapModel`, or a hub name like "laion/clap-htsat-unfused". A laion-clap `.pt` file.
    """
    path = Path(source)
    if not path.exists() and len(path.parts) == 1 and (checkpoint.default_root() / path).is_dir():
        path = checkpoint.default_root() / path
    if path.is_dir():
        return _load_folder(path)
    if path.suffix in (".pt", ".pth"):
        from latent_edit.models.clap_laion import LaionClap

        return LaionClap.load(path)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", str(source)):
        from latent_edit.models.clap_transformers import TransformersClap

        return TransformersClap.load(str(source))
    raise CheckpointError(f"there is no CLAP {str(source)!r}; give a folder, a laion-clap .pt file or a hub name")


def _load_folder(folder: Path) -> StyleEncoder:
    config = checkpoint.load_config(folder)
    if config.get("type") == "clap-mini":
        from latent_edit.models.clap_mini import ClapMiniEncoder

        return ClapMiniEncoder.load(folder)
    if config.get("model_type") == "clap":
        from latent_edit.models.clap_transformers import TransformersClap

        return TransformersClap.load(folder)
    kind = config.get("type") or config.get("model_type")
    raise CheckpointError(f"{folder} holds {kind!r}, no CLAP; give a clap-mini folder or a transformers ClapModel")
