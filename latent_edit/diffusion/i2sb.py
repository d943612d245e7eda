"""I2SB: a Schroedinger bridge that starts at the source latent itself and ends at the target.

Liu et al., "I2SB: Image-to-Image Schroedinger Bridge", arXiv 2302.05872; here x_0 is the target, x_1 the source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

from latent_edit.diffusion.noise import item_noise
from latent_edit.diffusion.process import Denoise
from latent_edit.diffusion.schedules import BridgeSchedule, per_item, sampling_times

FIRST_TIME = 1e-4  # t0: below it sigma, and with it the label, would lose its meaning


@dataclass(frozen=True)
class I2SB:
    """The bridge; signatures and shapes are those of `process.Diffusion`.

    ot_ode: train and sample without noise on the way (the optimal-transport limit, Proposition 3.4).
    source_noise: standard deviation of noise added to the bridge's start ("add-x1-noise"); the network always
    receives the clean source. predicts: what the network is trained on, the authors' label of equation 12, or the
    change from source to target. With a perfect network they come to the same; the size of a change is that of the
    edit, so that rescaled guidance means something. last_prediction: the time before which a sampler does not predict
    x_0 any more. The noise schedule is as high as the authors' with and without ot_ode.
    """

    ot_ode: bool = False
    source_noise: float = 0.0
    predicts: Literal["label", "change"] = "label"
    last_prediction: float = 0.01

    @cached_property
    def schedule(self) -> BridgeSchedule:
        return BridgeSchedule(1.0 if self.ot_ode else 0.3)

    def training_example(
        self, source: Tensor, target: Tensor, mask: Tensor, time: Tensor, generators: Sequence[torch.Generator]
    ) -> tuple[Tensor, Tensor]:
        """x_t from q(x_t | x_0, x_1), equation 11, and the label (x_t - x_0) / sigma_t, equation 12, or the change."""
        start = self._start(source, mask, generators)
        weight_target, weight_start, variance = self.schedule.marginal(time.clamp(min=FIRST_TIME))
        x_t = per_item(weight_target, target) * target + per_item(weight_start, target) * start
        if not self.ot_ode:
            x_t = x_t + per_item(variance.sqrt(), target) * item_noise(mask, target.shape[1], generators)
        return x_t, target - source if self.predicts == "change" else (x_t - target) / self._sigma(time, target)

    def predict_clean(self, x_t: Tensor, source: Tensor, time: Tensor, prediction: Tensor) -> Tensor:
        """x_0 = x_t - sigma_t prediction: equation 12 solved for x_0. Or the source, changed."""
        if self.predicts == "change":
            return source + prediction
        return x_t - self._sigma(time, x_t) * prediction

    @torch.no_grad()
    def sample(
        self,
        denoise: Denoise,
        source: Tensor,
        mask: Tensor,
        steps: int,
        generators: Sequence[torch.Generator],
    ) -> Iterator[Tensor]:
        """Algorithm 2: predict x_0, then draw the earlier state from q(x_earlier | x_0, x_t); OT-ODE takes its mean."""
        x_t = self._start(source, mask, generators)
        times = sampling_times(steps, self.last_prediction).to(source.device)
        for index in range(steps):
            now, earlier = times[index].expand(len(source)), times[index + 1].expand(len(source))
            clean = self.predict_clean(x_t, source, now, denoise(x_t, now.to(source), source)) * mask
            weight, variance = self.schedule.posterior(now, earlier)
            x_t = clean + per_item(weight, x_t) * (x_t - clean)
            if not self.ot_ode:
                x_t = x_t + per_item(variance.sqrt(), x_t) * item_noise(mask, x_t.shape[1], generators)
            yield clean

    def _start(self, source: Tensor, mask: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        if self.source_noise == 0:
            return source
        return source + self.source_noise * item_noise(mask, source.shape[1], generators)

    def _sigma(self, time: Tensor, like: Tensor) -> Tensor:
        return per_item(self.schedule.variances(time.clamp(min=FIRST_TIME))[0].sqrt(), like)
