"""The networks of the bridge: what they predict (v, a label) is the business of the diffusion that trains them.

All take x_t [B, C, T], t [B] in [0, 1], shown [B, K, T] (the source, and what else helps), style [B, D] of unit norm,
keep_style [B] bool (False: the learned null style instead), speaker [B, G] and mask [B, 1, T], and return [B, C, T],
zero outside the mask. For a voice with a single speaker, G is 0.
"""

from __future__ import annotations

from math import gcd, log, sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TIME_FEATURES = 128
TIME_SCALE = 1000.0  # t in [0, 1] to the range for which sinusoidal time features were made
LARGEST_LOG_RATIO = 0.7  # of a duration: half as long to twice as long


class TemporalDenoiser(nn.Module):
    """A 1-D network over time that treats the channels of a latent as features, not as rows of a picture.

    ConvNeXt blocks (arXiv 2201.03545) of dilated depthwise convolutions (with depth 8, each frame sees 90 frames to
    either side), modulated by time, style and speaker as in DiT (adaLN-Zero, arXiv 2212.09748, section 3.2). It is
    masked before every convolution: padding never leaks.
    """

    def __init__(
        self,
        channels: int,
        style_dimension: int,
        speaker_dimension: int,
        width: int = 256,
        depth: int = 8,
        shown_beside: int = 0,
    ) -> None:
        """shown_beside: channels that are shown beside those of the source."""
        super().__init__()
        condition = width // 2
        self.time = nn.Sequential(nn.Linear(TIME_FEATURES, condition), nn.SiLU(), nn.Linear(condition, condition))
        self.null_style = nn.Parameter(torch.zeros(style_dimension))
        self.manner = nn.Sequential(
            nn.Linear(style_dimension + speaker_dimension, condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        self.input = nn.Linear(2 * channels + shown_beside, width)
        self.blocks = nn.ModuleList(_TemporalBlock(width, condition, 2 ** (index % 4)) for index in range(depth))
        self.output_norm = nn.LayerNorm(width)
        self.output = _zero(nn.Linear(width, channels))

    def forward(
        self,
        x_t: Tensor,
        t: Tensor,
        shown: Tensor,
        style: Tensor,
        keep_style: Tensor,
        speaker: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Prediction [B, C, T]; see the module's docstring."""
        style = torch.where(keep_style.unsqueeze(1), _unit_variance(style), self.null_style)
        condition = F.silu(self.time(_time_features(t)) + self.manner(torch.cat([style, speaker], dim=1)))
        frames = mask.mT
        hidden = self.input(torch.cat([x_t, shown], dim=1).mT)
        for block in self.blocks:
            hidden = block(hidden, condition, frames)
        return self.output(self.output_norm(hidden)).mT * mask


class _TemporalBlock(nn.Module):
    """Depthwise convolution over time, then a small network in each frame; an identity before training."""

    def __init__(self, width: int, condition: int, dilation: int) -> None:
        super().__init__()
        # A picture with one row in channels-last layout: several times faster on CPU than Conv1d on transposed frames.
        self.over_time = nn.Conv2d(width, width, (1, 7), padding=(0, 3 * dilation), dilation=dilation, groups=width)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.modulation = _zero(nn.Linear(condition, 3 * width))
        self.over_features = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, hidden: Tensor, condition: Tensor, frames: Tensor) -> Tensor:
        """hidden [B, T, width], condition [B, K], frames [B, T, 1] (the mask) -> [B, T, width]."""
        scale, shift, gate = self.modulation(condition).unsqueeze(1).chunk(3, dim=2)
        update = self.over_time((hidden * frames).mT.unsqueeze(2)).squeeze(2).mT
        return hidden + gate * self.over_features(self.norm(update) * (1 + scale) + shift)


class ImageDenoiser(nn.Module):
    """The paper's network (arXiv 2311.10804): a latent as a one-channel picture [C rows, T columns] in a 2-D U-Net.

    Source and state are two channels of the input; the style is a single token for cross-attention. depth is the
    number of resolutions (1 to 5; the two coarsest attend), width the features of the finest. The speaker, which the
    paper's network did not know, joins the embedding of time.

    Group normalisation and self-attention see the whole picture, padding included. In evaluation mode, items of
    unequal length are therefore run one by one, so that results do not depend on the batch; in training, as in the
    paper, they are not.
    """

    def __init__(
        self, channels: int, style_dimension: int, speaker_dimension: int, width: int = 128, depth: int = 5
    ) -> None:
        super().__init__()
        from diffusers.models import UNet2DConditionModel

        attends = [level >= depth - 2 for level in range(depth)]
        self.multiple = 2 ** (depth - 1)
        self.null_style = nn.Parameter(torch.zeros(style_dimension))
        self.unet = UNet2DConditionModel(
            sample_size=(channels, channels),
            in_channels=2,
            out_channels=1,
            block_out_channels=tuple(width * factor for factor in (1, 2, 4, 4, 8)[:depth]),
            down_block_types=tuple("CrossAttnDownBlock2D" if here else "DownBlock2D" for here in attends),
            up_block_types=tuple("CrossAttnUpBlock2D" if here else "UpBlock2D" for here in reversed(attends)),
            norm_num_groups=gcd(width, 32),
            cross_attention_dim=style_dimension,
            class_embed_type="projection" if speaker_dimension else None,
            projection_class_embeddings_input_dim=speaker_dimension or None,
        )

    def forward(
        self,
        x_t: Tensor,
        t: Tensor,
        shown: Tensor,
        style: Tensor,
        keep_style: Tensor,
        speaker: Tensor,
        mask: Tensor,
    ) -> Tensor:
        """Prediction [B, C, T]; see the module's docstring."""
        style = torch.where(keep_style.unsqueeze(1), _unit_variance(style), self.null_style)
        pictures = torch.stack([x_t, shown], dim=1)
        lengths = mask.sum(dim=(1, 2)).long().tolist()
        if self.training or min(lengths) == mask.shape[2]:
            return self._paint(pictures, t, style, speaker) * mask
        prediction = torch.zeros_like(x_t)
        for index, length in enumerate(lengths):
            item = slice(index, index + 1)
            prediction[item, :, :length] = self._paint(
                pictures[item, ..., :length], t[item], style[item], speaker[item]
            )
        return prediction

    def _paint(self, pictures: Tensor, t: Tensor, style: Tensor, speaker: Tensor) -> Tensor:
        """pictures [B, 2, C, T] -> [B, C, T], through a picture padded to what the U-Net can halve."""
        rows, columns = pictures.shape[2:]
        pictures = F.pad(pictures, (0, -columns % self.multiple, 0, -rows % self.multiple))
        painted = self.unet(
            pictures,
            t * TIME_SCALE,
            encoder_hidden_states=style.unsqueeze(1),
            class_labels=speaker if speaker.shape[1] else None,
        ).sample
        return painted[:, 0, :rows, :columns]


class PaceHead(nn.Module):
    """How much longer (positive) or shorter a style makes a sentence: the logarithm of the ratio of durations."""

    def __init__(self, style_dimension: int, speaker_dimension: int, width: int = 128) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(style_dimension + speaker_dimension, width), nn.SiLU(), _zero(nn.Linear(width, 1))
        )

    def forward(self, style: Tensor, speaker: Tensor) -> Tensor:
        """style [B, D] of unit norm, speaker [B, G] -> [B], within +-LARGEST_LOG_RATIO; zero before training."""
        ratio = self.layers(torch.cat([_unit_variance(style), speaker], dim=1)).squeeze(1)
        return LARGEST_LOG_RATIO * torch.tanh(ratio)


def _time_features(t: Tensor) -> Tensor:
    """Sines and cosines of t [B] at geometrically spaced frequencies, [B, TIME_FEATURES]."""
    half = TIME_FEATURES // 2
    frequencies = torch.exp(torch.arange(half, dtype=t.dtype, device=t.device) * (-log(10000.0) / half))
    angles = TIME_SCALE * t.unsqueeze(1) * frequencies
    return torch.cat([angles.cos(), angles.sin()], dim=1)


def _unit_variance(style: Tensor) -> Tensor:
    """A vector of unit norm [B, D] scaled so that its entries are about 1, which initial weights expect."""
    return style * sqrt(style.shape[1])


def _zero(layer: nn.Linear) -> nn.Linear:
    """The layer with all weights zero, so that training starts from silence instead of noise."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
