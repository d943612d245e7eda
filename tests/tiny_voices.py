"""Voices with random weights and recordings made on the spot, for tests of what runs and trains them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from latent_edit.data.pitch import pitch_of_recordings
from latent_edit.data.speech import Speech
from latent_edit.models.embedded_vits import EmbeddedVits
from latent_edit.models.phonemes import VITS_VOCABULARY, encode_text
from latent_edit.training.vits import build_voice
from latent_edit.training.vits_config import VitsArchitecture

RATE, HOP = 16_000, 256
SPEAKERS = ["anna", "ben"]
ARCHITECTURE = VitsArchitecture(
    hidden_size=16,
    flow_size=8,
    ffn_dim=16,
    num_hidden_layers=1,
    posterior_encoder_num_wavenet_layers=2,
    speaker_embedding_size=4,
    decoder_width=16,
    decoder_hidden=32,
    decoder_blocks=1,
)


def shake(network: torch.nn.Module, size: float = 0.1) -> None:
    """Random values everywhere: layers that start at zero would hide what goes through them."""
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(size * torch.randn_like(parameter))


def tiny_voice(seed: int = 0, speakers: list[str] | None = None) -> EmbeddedVits:
    """A voice of the embedded kind."""
    torch.manual_seed(seed)
    voice = build_voice(ARCHITECTURE, SPEAKERS if speakers is None else speakers)
    shake(voice)
    with torch.no_grad():  # F0 in its range and voicing decided: with random weights both would be at their thresholds
        voice.decoder.pitch.output.weight.mul_(0.01)
        voice.decoder.pitch.output.bias.copy_(torch.tensor([0.3, 1.0]))
    return voice


def transformers_voice(folder: Path, speakers: int, **sizes: Any) -> Path:
    """A `VitsModel` as on the hub, with its tokenizer, saved into `folder`; `sizes` instead of tiny ones."""
    from transformers import VitsConfig, VitsModel, VitsTokenizer

    tiny: dict[str, Any] = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "ffn_dim": 16,
        "flow_size": 8,
        "spectrogram_bins": 65,
        "upsample_initial_channel": 16,
        "upsample_rates": [8, 4, 2],
        "upsample_kernel_sizes": [16, 8, 4],
        "resblock_kernel_sizes": [3],
        "resblock_dilation_sizes": [[1]],
        "speaker_embedding_size": 6 if speakers > 1 else 0,
        "posterior_encoder_num_wavenet_layers": 2,
        "prior_encoder_num_flows": 2,
        "prior_encoder_num_wavenet_layers": 1,
    }
    torch.manual_seed(0)
    model = VitsModel(VitsConfig(vocab_size=178, num_speakers=speakers, **(sizes or tiny)))
    shake(model, 0.02)
    model.save_pretrained(folder)
    vocabulary = folder / "vocab.json"
    vocabulary.write_text(json.dumps(VITS_VOCABULARY), encoding="utf-8")
    VitsTokenizer(str(vocabulary)).save_pretrained(folder)
    return folder


def buzz(seconds: float, pitch: float, seed: int = 0, rate: int = RATE) -> np.ndarray:
    """Harmonics with syllables and a little noise, float32 [N] below full scale."""
    time = np.arange(round(seconds * rate)) / rate
    harmonics = sum(np.sin(2 * np.pi * k * pitch * time) / k for k in range(1, 12))
    noise = np.random.default_rng(seed).standard_normal(time.size)
    return (0.2 * harmonics * np.abs(np.sin(2 * np.pi * 2 * time)) + 0.01 * noise).astype(np.float32)


def tiny_speech(count: int, speakers: list[str] | None = None, seed: int = 0, full_scale: float = 1.0) -> Speech:
    """`count` recordings of 0.6 to 1 second in turns by the speakers."""
    speakers = SPEAKERS if speakers is None else speakers
    generator = np.random.default_rng(seed)
    audio = [buzz(generator.uniform(0.6, 1.0), generator.uniform(100, 250), seed + i) for i in range(count)]
    texts = [("hi", "a hat", "you", "go on")[i % 4] for i in range(count)]
    return Speech(
        samples=np.concatenate([np.rint(a / full_scale * 32767).astype(np.int16) for a in audio]),
        offsets=np.cumsum([0, *map(len, audio)]),
        pitch=pitch_of_recordings(audio, RATE, HOP),
        ids=[list(encode_text(text).ids) for text in texts],
        speakers=[speakers[i % len(speakers)] for i in range(count)],
        texts=texts,
        sampling_rate=RATE,
        hop_length=HOP,
        full_scale=full_scale,
    )
