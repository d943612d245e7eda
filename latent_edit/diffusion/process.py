"""What Palette and I2SB have in common, so that training, the bridge and the page need not know which one they hold.

Both lead from t = 1 (noise, or the source) to t = 0 (the edited latent). The network is a callable
`denoise(x_t [B, C, T], t [B], source [B, C, T]) -> prediction [B, C, T]`; style, speaker and mask are closed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import torch
from torch import Tensor

Denoise = Callable[[Tensor, Tensor, Tensor], Tensor]


class Diffusion(Protocol):
    """A way from the source latent to the edited one.

    Latents are [B, C, T], zero where the mask [B, 1, T] is zero; each item has its own generator.
    """

    def training_example(
        self, source: Tensor, target: Tensor, mask: Tensor, time: Tensor, generators: Sequence[torch.Generator]
    ) -> tuple[Tensor, Tensor]:
        """The state x_t at `time` [B] in [0, 1], and what the network is to predict from it; both [B, C, T]."""

    def predict_clean(self, x_t: Tensor, source: Tensor, time: Tensor, prediction: Tensor) -> Tensor:
        """The clean latent x_0 [B, C, T] that the network's prediction at `time` [B] stands for."""

    def sample(
        self,
        denoise: Denoise,
        source: Tensor,
        mask: Tensor,
        steps: int,
        generators: Sequence[torch.Generator],
    ) -> Iterator[Tensor]:
        """The clean latent [B, C, T] that each of `steps` calls of the network predicts; the last is the edited one."""
