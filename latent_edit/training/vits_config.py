"""The preset of `train vits`: sizes of the voice and its four stages; and the settings of `train breath`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from latent_edit.config import StrictModel
from latent_edit.errors import InputError


class VitsArchitecture(StrictModel):
    """Sizes of the embedded voice; names as in transformers' VitsConfig."""

    sampling_rate: int = 16_000
    hidden_size: int = 96
    flow_size: int = 96
    ffn_dim: int = 384
    num_hidden_layers: int = 6
    spectrogram_bins: int = 513
    posterior_encoder_num_wavenet_layers: int = 8
    speaker_embedding_size: int = 64
    decoder_width: int = 256
    decoder_hidden: int = 768
    decoder_blocks: int = 7
    decoder_subframes: int = 2


class VitsStage(StrictModel):
    """One stage of training."""

    train: Literal["all", "posterior_and_decoder", "decoder", "text_side"]
    steps: int
    learning_rate: float
    # The learning rate falls exponentially to this share at the end of the stage.
    final_learning_rate_share: float = 0.1
    adversarial_from: int = 0
    # Share of each batch that is styled augmentations: reconstruction only.
    styled_share: float = 0.0
    moment_weight: float = 0.0


class VitsTrainingConfig(StrictModel):
    """The preset of `train vits`."""

    architecture: VitsArchitecture
    stages: dict[str, VitsStage]
    batch_size: int = Field(default=12, ge=1)
    segment_frames: int = 94
    adversarial_frames: int = 32
    warmup_steps: int = 200
    mel_bins: int = 80
    mel_weight: float = 45.0
    kl_weight: float = 1.0
    pitch_weight: float = 6.0  # of a semitone
    voicing_weight: float = 3.0
    feature_weight: float = 2.0
    largest_gradient_norm: float = 50.0
    ema: float = 0.999
    bfloat16: bool = True  # by autocast, on processors that have units for it
    seed: int = 0

    def stage(self, name: str) -> VitsStage:
        """A stage by name. Raises InputError that lists the known ones."""
        if name not in self.stages:
            raise InputError(f"there is no stage {name!r}; known: {', '.join(self.stages)}")
        return self.stages[name]


class BreathConfig(StrictModel):
    """How the decoder is taught."""

    steps: int = 600
    pairs: int = 440
    held_out_pairs: int = 24
    breathiness: tuple[float, float] = (0.1, 0.9)
    batch_size: int = 24
    segment_frames: int = 48
    learning_rate: float = 6e-4
    # The learning rate falls exponentially to this share at the end.
    final_learning_rate_share: float = 0.02
    warmup_steps: int = 30
    seed: int = 0
