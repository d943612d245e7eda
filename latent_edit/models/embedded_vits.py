"""The embedded voice: transformers' VitsModel with a source-filter decoder in place of HiFi-GAN."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn
from transformers import VitsConfig, VitsModel

from latent_edit import checkpoint
from latent_edit.files import whole
from latent_edit.models.discriminators import DISCRIMINATORS_NAME
from latent_edit.models.source_filter_decoder import (
    ConvNeXtBlock,
    DecoderSizes,
    SourceFilterDecoder,
    initialise_decoder,
)


class EmbeddedVitsConfig(VitsConfig):
    """VitsConfig plus the decoder's size. The hop length is the product of `upsample_rates`, as in VITS."""

    model_type = "istft_vits"

    decoder_width: int = 256
    decoder_hidden: int = 768
    decoder_blocks: int = 7
    # Filters per latent frame; checkpoints made before it could be chosen have two.
    decoder_subframes: int = 2
    # Of each speaker, the range of F0 in recordings, in semitones, which `natural_f0` gives to what is synthesised.
    f0_ranges_semitones: list[float] | None = None

    @property
    def fft_size(self) -> int:
        """Points of the Fourier transform, from the number of spectrogram bins."""
        return 2 * (self.spectrogram_bins - 1)

    @property
    def hop_length(self) -> int:
        """Samples per latent frame."""
        product = 1
        for rate in self.upsample_rates:
            product *= rate
        return product

    @property
    def decoder_sizes(self) -> DecoderSizes:
        """Sizes of the decoder."""
        return DecoderSizes(
            latent_channels=self.flow_size,
            speaker_channels=self.speaker_embedding_size,
            sampling_rate=self.sampling_rate,
            hop_length=self.hop_length,
            fft_size=self.fft_size,
            subframes=self.decoder_subframes,
            width=self.decoder_width,
            hidden=self.decoder_hidden,
            blocks=self.decoder_blocks,
        )


class EmbeddedVits(VitsModel):
    """VitsModel whose decoder is a `SourceFilterDecoder`; saved and loaded by `save_pretrained` / `from_pretrained`."""

    config_class = EmbeddedVitsConfig

    def __init__(self, config: EmbeddedVitsConfig) -> None:
        super().__init__(config)
        self.decoder = SourceFilterDecoder(config.decoder_sizes)  # type: ignore[assignment]
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, ConvNeXtBlock):
            nn.init.constant_(module.scale, 1.0 / self.config.decoder_blocks)
        if isinstance(module, nn.LayerNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)


def initialise_for_training(model: Any) -> None:
    """Start from z_p = z (last couplings zero, as in the authors' VITS) and from distributions near N(0, 1)."""
    for coupling in model.flow.flows:
        nn.init.zeros_(coupling.conv_post.weight)
        nn.init.zeros_(coupling.conv_post.bias)
    for projection in (model.text_encoder.project, model.posterior_encoder.conv_proj):
        with torch.no_grad():
            projection.weight.mul_(0.1)
            projection.bias.zero_()
    initialise_decoder(model.decoder)


def save_voice(voice: EmbeddedVits, folder: Path, discriminators: Mapping[str, Tensor] | None = None) -> None:
    """Write a voice checkpoint: configuration, weights and, to train on, the discriminators."""
    checkpoint.save(folder, voice.config.to_dict(), voice.state_dict())
    if discriminators is not None:
        with whole(folder / DISCRIMINATORS_NAME) as partial:
            safetensors.torch.save_file({k: v.half() for k, v in discriminators.items()}, partial)
