"""The preset of `train clap`."""

from __future__ import annotations

from pydantic import Field

from latent_edit.axes import AXES
from latent_edit.config import StrictModel
from latent_edit.models.clap_mini import ClapMiniConfig
from latent_edit.prompts.lexicon import FLOORS


class ClapSizes(StrictModel):
    """Sizes of the two towers; names as in `ClapMiniConfig`."""

    dimension: int = 128
    sampling_rate: int = 16_000
    mel_bands: int = 64
    audio_width: int = 192
    audio_blocks: int = 5
    text_width: int = 160
    text_layers: int = 2
    text_heads: int = 4

    def network(self, vocabulary: int) -> ClapMiniConfig:
        """The configuration of a network that reads the style axes in units of their floors."""
        scales = tuple(float(floor) for floor in FLOORS)
        return ClapMiniConfig(axes=tuple(AXES), axis_scales=scales, vocabulary=vocabulary, **self.model_dump())


class ClapConfig(StrictModel):
    """The preset of `train clap`."""

    sizes: ClapSizes = ClapSizes()
    steps: int = 1500
    batch_size: int = Field(default=48, ge=1)
    # Captions without a recording, drawn from the lexicon: further choices for each clip, and axes to read from text.
    text_batch_size: int = 192
    captions: int = 30_000
    # Share of captions that get words without a meaning in between.
    filler_share: float = Field(default=0.5, ge=0, le=1)
    vocabulary: int = 2000
    crop_seconds: float = 3.0
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    weight_decay: float = 0.02
    # Of the target for each clip: this share its own caption, the rest all captions of similar styles,
    own_share: float = 0.5
    # where "similar" is a Gaussian of this width in units of the axes' floors.
    similarity_width: float = 0.7
    axes_weight: float = 5.0
    # Clips are made louder or softer by up to so much, and their level axis with them.
    gain_db: float = 2.0
    evaluate_every: int = 250
    seed: int = 0
