"""CLAP from a laion-clap checkpoint (`630k-audioset-best.pt` and its relatives), through the laion_clap package."""

from __future__ import annotations

import importlib.util
import pickle
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from latent_edit import checkpoint
from latent_edit.axes import AxisValue
from latent_edit.errors import CheckpointError
from latent_edit.models.clap_transformers import PROBES, model_clips
from latent_edit.types import Waveform

SAMPLING_RATE = 48_000
MAX_SAMPLES = 480_000  # 10 s; beyond, laion_clap crops at random
ROBERTA = "roberta-base"
ROBERTA_FILES = ["*.json", "*.txt", "model.safetensors"]
# Checkpoints saved by older code hold this buffer, newer transformers do not (LAION-AI/CLAP#161).
POSITION_IDS = "text_branch.embeddings.position_ids"
PATCH_WEIGHT = "audio_branch.patch_embed.proj.weight"
SCALAR_NAMES = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
AUDIO_MODELS = {96: "HTSAT-tiny", 128: "HTSAT-base"}  # by their first channels


class LaionClap:
    """`StyleEncoder` over a frozen `laion_clap.CLAP_Module`."""

    sampling_rate = SAMPLING_RATE

    def __init__(self, module: Any, name: str) -> None:
        self.name = name
        self._module = module.eval().requires_grad_(False)
        self.dimension: int = module.model.joint_embed_shape
        self.hash = checkpoint.content_hash(module.model.state_dict())
        probes = self.embed_text(PROBES)
        if torch.allclose(probes[0], probes[1], atol=1e-4):
            raise CheckpointError(f"CLAP {name} gives the same embedding for every prompt: its tokenizer is incomplete")

    @staticmethod
    def load(path: Path) -> LaionClap:
        """Read a `.pt` file without unpickling objects. Raises CheckpointError."""
        state = read_state(path)
        module = _module(AUDIO_MODELS[state[PATCH_WEIGHT].shape[0]], any("mel_conv2d" in key for key in state))
        checkpoint.strict_load(module.model, adapt_state(state, module.model.state_dict()))
        return LaionClap(module, path.name)

    @torch.no_grad()
    def embed_text(self, prompts: list[str]) -> Tensor:
        """[B, D], unit norm."""
        return self._module.get_text_embedding(list(prompts), use_tensor=True).float().cpu()

    @torch.no_grad()
    def embed_audio(self, waveform: Waveform) -> Tensor:
        """[B, D], unit norm; clips over 10 s are cut to their middle."""
        clips = model_clips(waveform, SAMPLING_RATE, MAX_SAMPLES)
        return torch.cat([self._module.get_audio_embedding_from_data([c], use_tensor=True) for c in clips]).float()

    def axes(self, embedding: Tensor) -> dict[str, AxisValue]:  # noqa: ARG002
        """Empty: it was trained without any."""
        return {}

    def unknown_words(self, prompt: str) -> list[str]:  # noqa: ARG002
        """Empty: its byte-level vocabulary is open."""
        return []


def read_state(path: Path) -> dict[str, Tensor]:
    """The weights of a laion-clap checkpoint by name, without the prefix of distributed training.

    `weights_only`: nothing in the file is executed. Raises CheckpointError where it is no such checkpoint.
    """
    if not path.is_file():
        raise CheckpointError(f"there is no CLAP checkpoint {path}; check the name")
    # Training left a few numpy numbers (the best score) beside the weights; numpy 2 calls their constructor otherwise.
    scalar = np.float64(0).__reduce__()[0]
    numbers: list[Any] = [np.dtype, type(np.dtype(np.float64)), *((scalar, name) for name in SCALAR_NAMES)]
    try:
        with torch.serialization.safe_globals(numbers):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        reason = str(error).strip().split("\n")[0]
        raise CheckpointError(f"{path} is no laion-clap checkpoint that can be read safely ({reason})") from error
    state = content.get("state_dict", content) if isinstance(content, dict) else {}
    state = {key.removeprefix("module."): value for key, value in state.items() if isinstance(value, Tensor)}
    if PATCH_WEIGHT not in state or state[PATCH_WEIGHT].shape[0] not in AUDIO_MODELS:
        raise CheckpointError(f"{path} is no laion-clap checkpoint with an HTSAT audio branch; give one of those")
    return state


def adapt_state(state: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights with position ids if, and only if, this version of the model has them."""
    adapted = {key: value for key, value in state.items() if key != POSITION_IDS}
    if POSITION_IDS in expected:
        adapted[POSITION_IDS] = state.get(POSITION_IDS, expected[POSITION_IDS])
    return adapted


def _module(audio_model: str, fusion: bool) -> Any:
    """An empty model. laion_clap asks the hub for three tokenizers at import; only RoBERTa's files are needed."""
    if importlib.util.find_spec("laion_clap") is None:
        raise CheckpointError(
            f"a CLAP in a .pt file needs the package laion-clap, which is not installed (it exists for Python 3.10 to "
            f"3.12; this is {platform.python_version()}); use such a Python, or the CLAP of a transformers model, such "
            f"as laion/clap-htsat-unfused"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    try:
        if not Path(ROBERTA).is_dir():  # transformers prefers a folder of this name to the hub
            snapshot_download(ROBERTA, allow_patterns=ROBERTA_FILES)
        with _offline():
            import laion_clap

            module = laion_clap.CLAP_Module(enable_fusion=fusion, amodel=audio_model, device="cpu")
    except (OSError, LocalEntryNotFoundError, HfHubHTTPError) as error:
        raise CheckpointError(f"laion_clap needs the files of {ROBERTA} once, from the hub or its cache") from error
    if len(module.tokenize) != module.model.text_branch.config.vocab_size:
        raise CheckpointError(f"the tokenizer of {ROBERTA} is incomplete ({len(module.tokenize)} tokens); get it again")
    return module


@contextmanager
def _offline() -> Iterator[None]:
    """The hub answers from its cache only; without it the import of laion_clap waits for a network."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
