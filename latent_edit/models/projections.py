"""Near a latent, one that the frozen decoder speaks differently in a few respects, and no more so than asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

ROUNDS = 12  # at most; most edits take three
CLOSE = 0.2  # to a goal, in its unit (semitones, dB): what is missing is no longer heard
LONGEST_STEP = 0.2  # root mean square over the latent, whose deviation is about one; most take a tenth of it

Missed = Callable[[Tensor], Tensor]
"""Of a latent [1, C, T], the square of how far it is from a goal, [], differentiable."""


def approach(start: Tensor, goals: Sequence[Missed]) -> Tensor:
    """The latent [1, C, T] after a few rounds of steps towards goals, in turns.

    Each step goes as far as the distance would take to vanish, were it linear: projections in turns (Kaczmarz 1937), by
    Polyak's rule for what has zero as its least value (1969). So no rate has to be chosen, and the latent moves no
    farther than it has to. A goal out of reach would make steps longer and longer: none is longer than `LONGEST_STEP`.
    """
    z = start.clone().requires_grad_(True)
    for _ in range(ROUNDS):
        arrived = True
        for square in goals:
            with torch.enable_grad():
                missed = square(z)
                if missed <= CLOSE**2:
                    continue
                arrived = False
                distance = missed.sqrt()
                (gradient,) = torch.autograd.grad(distance, z)
            with torch.no_grad():
                step = distance / gradient.square().sum().clamp(min=1e-12) * gradient
                z -= step * (LONGEST_STEP / step.square().mean().sqrt()).clamp(max=1.0)
        if arrived:
            break
    return z.detach()
