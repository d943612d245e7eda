"""The two ways in which a latent is moved towards objectives: projections in turns, and gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

ROUNDS = 12  # of projections, at most; most edits take three
CLOSE = 0.2  # residual, in its unit (semitones, dB), below which nothing is heard any more
LONGEST_STEP = 0.2  # root mean square over the latent, whose deviation is about one; most take a tenth of it


class Objective(Protocol):
    """What a latent is to fulfil."""

    def residual(self, z: Tensor) -> Tensor:
        """How far a latent [B, C, T] is from it, [] in an audible unit, zero when fulfilled; differentiable."""


def project(start: Tensor, objectives: Sequence[Objective]) -> Tensor:
    """The latent [B, C, T] after a few rounds of steps towards objectives, in turns.

    Each step goes as far as the residual would take to vanish, were it linear: projections in turns (Kaczmarz 1937), by
    Polyak's rule for what has zero as its least value (1969). So no rate has to be chosen. An objective out of reach
    would make steps longer and longer: none is longer than `LONGEST_STEP`.
    """
    z = start.clone().requires_grad_(True)
    for _ in range(ROUNDS):
        fulfilled = True
        for objective in objectives:
            with torch.enable_grad():
                residual = objective.residual(z)
                if residual <= CLOSE:
                    continue
                fulfilled = False
                (gradient,) = torch.autograd.grad(residual, z)
            with torch.no_grad():
                step = residual / gradient.square().sum().clamp(min=1e-12) * gradient
                z -= step * (LONGEST_STEP / step.square().mean().sqrt()).clamp(max=1.0)
        if fulfilled:
            break
    return z.detach()


class Descent(NamedTuple):
    """How many steps of gradient descent, and how far each may take a value of a latent; that falls linearly to
    `last_rate_share` of it."""

    steps: int
    rate: float
    last_rate_share: float = 1.0


def descend(start: Tensor, objectives: Sequence[tuple[Objective, float]], descent: Descent) -> Tensor:
    """The latent [B, C, T] after gradient descent (Adam) on the sum of residuals, each times its weight."""
    z = start.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([z], lr=descent.rate)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, descent.last_rate_share, descent.steps)
    for _ in range(descent.steps):
        with torch.enable_grad():
            loss = torch.stack([weight * objective.residual(z) for objective, weight in objectives]).sum()
            (z.grad,) = torch.autograd.grad(loss, z)
        optimizer.step()
        schedule.step()
    return z.detach()
