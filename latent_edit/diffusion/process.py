"""What Palette and I2SB have in common, so that training, the bridge and the page need not know which one they hold.

Both lead from t = 1 (noise, or the source) to t = 0 (the edited latent). The network is a callable
`denoise(x_t [B, C, T], t [B], source [B, C, T]) -> prediction [B, C, T]`; style, speaker and mask are closed over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import torch
from torch import Tensor

Denoise = Callable[[Tensor, Tensor, Tensor], Tensor]

OnStep = Callable[[int, int, Tensor], None]
"""`on_step(index, steps, clean_prediction)` after each step; index from 0 to steps - 1. It cancels by raising."""


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
        on_step: OnStep | None = None,
    ) -> Tensor:
        """The edited latent [B, C, T] after `steps` calls of the network."""
