"""Palette: from noise to the target, the source being only a second input of the network.

Saharia et al., "Palette", arXiv 2111.05826, with the v-objective of Salimans and Ho, arXiv 2202.00512, and DDIM.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from latent_edit.diffusion.noise import item_noise
from latent_edit.diffusion.process import Denoise
from latent_edit.diffusion.schedules import cosine_schedule, per_item, sampling_times


@dataclass(frozen=True)
class Palette:
    """Conditional diffusion on the cosine schedule; signatures and shapes are those of `process.Diffusion`."""

    def training_example(
        self,
        source: Tensor,  # noqa: ARG002 - reaches the network beside x_t, not through it
        target: Tensor,
        mask: Tensor,
        time: Tensor,
        generators: Sequence[torch.Generator],
    ) -> tuple[Tensor, Tensor]:
        """x_t = alpha x_0 + sigma noise, and v = alpha noise - sigma x_0 (arXiv 2202.00512, section 4)."""
        noise = item_noise(mask, target.shape[1], generators)
        alpha, sigma = (per_item(factor, target) for factor in cosine_schedule(time))
        return alpha * target + sigma * noise, alpha * noise - sigma * target

    def predict_clean(
        self,
        x_t: Tensor,
        source: Tensor,  # noqa: ARG002
        time: Tensor,
        prediction: Tensor,
    ) -> Tensor:
        """x_0 = alpha x_t - sigma v. Latents have no bounds, so nothing is clamped."""
        alpha, sigma = (per_item(factor, x_t) for factor in cosine_schedule(time))
        return alpha * x_t - sigma * prediction

    @torch.no_grad()
    def sample(
        self,
        denoise: Denoise,
        source: Tensor,
        mask: Tensor,
        steps: int,
        generators: Sequence[torch.Generator],
    ) -> Iterator[Tensor]:
        """Deterministic DDIM (arXiv 2010.02502, equation 12 with sigma = 0) from pure noise at t = 1."""
        x_t = item_noise(mask, source.shape[1], generators)
        times = sampling_times(steps).to(source.device)
        for index in range(steps):
            now, earlier = times[index].expand(len(source)), times[index + 1].expand(len(source))
            clean = self.predict_clean(x_t, source, now, denoise(x_t, now.to(source), source)) * mask
            alpha_now, sigma_now = (per_item(factor, x_t) for factor in cosine_schedule(now))
            alpha, sigma = (per_item(factor, x_t) for factor in cosine_schedule(earlier))
            x_t = alpha * clean + sigma * (x_t - alpha_now * clean) / sigma_now  # the noise in x_t, scaled down
            yield clean
