"""Classifier-free guidance (Ho and Salimans, arXiv 2207.12598) as a wrapper around two ways to call the network."""

from __future__ import annotations

import torch
from torch import Tensor

from latent_edit.diffusion.process import Denoise


def guided(
    conditional: Denoise,
    unconditional: Denoise,
    scale: float,
    interval: tuple[float, float] = (0.0, 1.0),
    rescale: float = 0.0,
) -> Denoise:
    """unconditional + scale (conditional - unconditional), of whatever the network predicts (v, or I2SB's label).

    Scale 1 is `conditional` and scale 0 `unconditional`, exactly, and then only that one is ever called. Outside the
    interval of times, the scale is at most 1: nothing is extrapolated there (arXiv 2404.07724). Where it extrapolates,
    `rescale` says how far the size of the result goes back to that of the conditional prediction, 1 being all the way
    (arXiv 2305.08891, section 3.4).
    """
    if scale == 1:
        return conditional
    if scale == 0:
        return unconditional
    first, last = interval
    outside = min(scale, 1.0)

    def denoise(x_t: Tensor, t: Tensor, source: Tensor) -> Tensor:
        weight = outside + (scale - outside) * ((t >= first) & (t <= last)).to(x_t.dtype)
        with_style = conditional(x_t, t, source)
        if bool((weight == 1).all()):
            return with_style
        extrapolated = torch.lerp(unconditional(x_t, t, source), with_style, weight.view(-1, 1, 1))  # exact at weight 1
        if rescale == 0 or scale < 1:
            return extrapolated
        # Root mean squares of whole items: a ratio in which padding, which is zero, does not count.
        size, goal = (x.square().sum(dim=(1, 2), keepdim=True).sqrt() for x in (extrapolated, with_style))
        return extrapolated * (1 - rescale + rescale * goal / size.clamp(min=1e-12))

    return denoise
