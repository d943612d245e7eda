"""Regression: from the source to the target in one call of the network, without noise. The control of a bridge.

Trained by least squares, it can only learn the mean of all targets that a source may have. What a bridge does better is
what its path and its noise are worth: it may draw one of these targets instead (Liu et al., arXiv 2302.05872, section
3.1; Saharia et al., "Palette", arXiv 2111.05826, section 4.2, compare with such a regression too).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from latent_edit.diffusion.process import Denoise


@dataclass(frozen=True)
class Regression:
    """Signatures and shapes are those of `process.Diffusion`; the network is asked at t = 1 alone, where x_t = x_1.

    predicts: the target itself ("label"), or the change that leads to it from the source.
    """

    predicts: Literal["label", "change"] = "label"

    def training_example(
        self,
        source: Tensor,
        target: Tensor,
        mask: Tensor,  # noqa: ARG002
        time: Tensor,  # noqa: ARG002
        generators: Sequence[torch.Generator],  # noqa: ARG002
    ) -> tuple[Tensor, Tensor]:
        """x_1, whatever the time is, and the target x_0 or the change x_0 - x_1."""
        return source, target - source if self.predicts == "change" else target

    def predict_clean(
        self,
        x_t: Tensor,  # noqa: ARG002
        source: Tensor,
        time: Tensor,  # noqa: ARG002
        prediction: Tensor,
    ) -> Tensor:
        """The prediction, or the source with the change that it is."""
        return source + prediction if self.predicts == "change" else prediction

    @torch.no_grad()
    def sample(
        self,
        denoise: Denoise,
        source: Tensor,
        mask: Tensor,
        steps: int,
        generators: Sequence[torch.Generator],  # noqa: ARG002
    ) -> Iterator[Tensor]:
        """One call of the network, whose answer every step gives."""
        time = source.new_ones(len(source))
        clean = self.predict_clean(source, source, time, denoise(source, time, source)) * mask
        yield from [clean] * steps
