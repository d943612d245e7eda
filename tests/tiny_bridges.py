"""Bridges with random weights and made-up latents to train them on."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from tiny_voices import shake

from latent_edit.bridge import Bridge, BridgeConfig
from latent_edit.data.augmentations import Augmentation
from latent_edit.data.latents import FIELDS, Latents, similar_styles

CHANNELS, STYLE, SPEAKER = 8, 6, 4


def configuration(**changes: Any) -> BridgeConfig:
    """A small bridge; `training` may be given in part."""
    fields: dict[str, Any] = {
        "title": "tiny",
        "method": "i2sb",
        "network": "temporal",
        "width": 16,
        "depth": 2,
        "pairing": {"aligned": 0.5, "parallel": 0.5},
        "condition": {"caption": 0.5, "other_clip": 0.5},
    }
    training = {"steps": 4, "batch_size": 4, "warmup_steps": 2, "ema": 0.5, "condition_dropout": 0.3}
    training |= changes.pop("training", {})
    return BridgeConfig.model_validate({**fields, **changes, "training": training})


def tiny_bridge(**changes: Any) -> Bridge:
    """A bridge in which nothing is zero or one."""
    torch.manual_seed(0)
    bridge = Bridge(configuration(**changes), CHANNELS, STYLE, SPEAKER).eval()
    shake(bridge, 0.3)
    with torch.no_grad():
        if bridge.config.normalise:
            bridge.mean.copy_(torch.randn(CHANNELS, 1))
            bridge.deviation.copy_(torch.rand(CHANNELS, 1) + 0.5)
        bridge.style_mean.copy_(0.1 * torch.randn(2, STYLE))
    return bridge


def tiny_latents(count: int = 16, seed: int = 0) -> Latents:
    """Recordings and augmentations of 20 to 40 frames; every third is the recording itself."""
    generator = torch.Generator().manual_seed(seed)
    draw = np.random.default_rng(seed)
    frames = draw.integers(20, 41, count)
    paper = draw.integers(15, 50, count)
    readings = draw.integers(15, 50, count)
    lengths = {f: paper if f.startswith("paper") else readings if f.endswith("reading") else frames for f in FIELDS}
    examples = {
        field: [torch.randn(CHANNELS, int(n), generator=generator).mul(2).add(1).half() for n in lengths[field]]
        for field in FIELDS
    }
    items = []
    for index in range(count):
        heard = tuple(float(value) for value in (0.1 * draw.standard_normal(7)))
        items.append(
            Augmentation(
                shard=0, number=index, utterance=index, speaker="anna", text="hi", sentence=f"sentence {index % 5}",
                split="train", kind="raw" if index % 3 == 0 else "styled", preset=None, style=heard, heard=heard,
                warp=float(np.exp(draw.uniform(-0.3, 0.3))), scale=1.0, captions=(),
            )
        )  # fmt: skip
    unit = torch.nn.functional.normalize
    return Latents(
        examples=examples,
        items=items,
        speaker=draw.integers(0, 2, count),
        audio_style=unit(torch.randn(count, STYLE, generator=generator) + 1, dim=1),
        caption_styles=[unit(torch.randn(2, STYLE, generator=generator) - 1, dim=1) for _ in range(count)],
        similar=similar_styles(items),
        latent_hash="l" * 64,
        voice_hash="v" * 64,
        style_hash="s" * 64,
    )
