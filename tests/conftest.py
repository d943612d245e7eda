"""A complete set of tiny checkpoints with random weights, made on the spot: no network, no shipped weights needed."""

from __future__ import annotations

import os
from pathlib import Path

# The tests run in two processes, and what they start has few cores too: more threads would only wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import torch
from tiny_voices import shake

from latent_edit import checkpoint
from latent_edit.axes import AXES
from latent_edit.editor import LatentEditor

SHIPPED = checkpoint.default_root()
TINY_VOICES = ["anna", "ben"]
TINY_WORDS = ["a", "angry", "calm", "shout", "sad", "and", "slow", "whisper"]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "shipped: needs the weights that come with the repository")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if (SHIPPED / checkpoint.MANIFEST_NAME).is_file():
        return
    for item in items:
        if item.get_closest_marker("shipped"):
            item.add_marker(pytest.mark.skip(reason=f"{SHIPPED} holds no weights yet"))


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoints folder: a voice of two speakers, a CLAP, bridges for i2sb and palette. Do not write into it."""
    root = tmp_path_factory.mktemp("checkpoints")
    make_tiny_root(root)
    return root


@pytest.fixture(scope="session")
def shipped_editor() -> LatentEditor:
    """The editor over the shipped weights; for tests that are marked `shipped`."""
    return LatentEditor.load(SHIPPED)


@pytest.fixture(scope="session")
def tiny_editor(tiny_root: Path) -> LatentEditor:
    """The editor over `tiny_root`."""
    return LatentEditor.load(tiny_root)


def make_tiny_root(root: Path) -> None:
    """Write voice, CLAP and bridges with random weights, their cards and the manifest."""
    with torch.random.fork_rng():
        torch.manual_seed(7)
        make_tiny_voice(root / "vits-mini")
        make_tiny_clap(root / "clap-mini")
        for method in ("i2sb", "palette"):
            make_tiny_bridge(root, method)
    for folder in sorted(path for path in root.iterdir() if path.is_dir()):
        checkpoint.write_card(folder, licence="MIT", data="none: random weights", recipe="tests", text="For tests.")
    checkpoint.update_manifest(root)


def make_tiny_voice(folder: Path, seed: int | None = None) -> None:
    """A voice of the embedded kind with 16 channels and the speakers `TINY_VOICES`."""
    from latent_edit.models.embedded_vits import save_voice
    from latent_edit.training.vits import build_voice
    from latent_edit.training.vits_config import VitsArchitecture

    if seed is not None:
        torch.manual_seed(seed)
    architecture = VitsArchitecture(
        hidden_size=16,
        flow_size=16,
        ffn_dim=32,
        num_hidden_layers=1,
        posterior_encoder_num_wavenet_layers=1,
        speaker_embedding_size=8,
        decoder_width=16,
        decoder_hidden=32,
        decoder_blocks=1,
    )
    voice = build_voice(architecture, TINY_VOICES)
    shake(voice)
    save_voice(voice, folder)


def make_tiny_clap(folder: Path) -> None:
    """A clap-mini that knows `TINY_WORDS`."""
    from latent_edit.models.clap_mini import ClapMini, ClapMiniConfig, ClapMiniEncoder, train_tokenizer

    tokenizer = train_tokenizer([" ".join(TINY_WORDS)], 60)
    config = ClapMiniConfig(
        axes=tuple(AXES),
        axis_scales=tuple(axis.floor for axis in AXES.values()),
        dimension=8,
        audio_width=16,
        audio_blocks=1,
        text_width=16,
        text_layers=1,
        text_heads=2,
        vocabulary=tokenizer.get_vocab_size(),
    )
    network = ClapMini(config)
    shake(network)
    ClapMiniEncoder(network, tokenizer, TINY_WORDS, ["like"]).save(folder)


def make_tiny_bridge(root: Path, method: str) -> None:
    """A bridge of one layer for the voice and the CLAP below `root`."""
    from latent_edit.bridge import Bridge, BridgeConfig
    from latent_edit.models.clap import load_style_encoder
    from latent_edit.models.vits import FrozenVits

    vits, style_encoder = FrozenVits.load(root / "vits-mini"), load_style_encoder(root / "clap-mini")
    config = BridgeConfig.model_validate(
        {
            "title": f"tiny {method}",
            "method": method,
            "network": "temporal",
            "width": 16,
            "depth": 1,
            "pairing": {"aligned": 1.0},
            "condition": {"caption": 1.0},
            "prosody": method == "i2sb",
            "correction": method == "i2sb",
            "training": {"steps": 1},
        }
    )
    bridge = Bridge(config, vits.latent_channels, style_encoder.dimension, vits.speaker_embedding("anna").shape[1])
    shake(bridge)
    # Buffers too: with equal means nobody would notice a prompt that is centred with the wrong one.
    bridge.style_mean.copy_(0.1 * torch.randn_like(bridge.style_mean))
    if config.prosody:
        bridge.tremor_rate.fill_(0.1)
    bridge.save(root / f"bridge-{method}", vits.latent_hash, style_encoder.hash)
