"""How much noise at which time. Everything is computed in float64; times and results are [B]."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import pi, sqrt

import torch
from torch import Tensor

from latent_edit.errors import InputError

INTERVALS = 1000  # of I2SB's noise schedule; another number would change the bridge's total variance
FIRST_BETA = 1e-4  # variance that I2SB's first interval adds


def sampling_times(steps: int, earliest: float = 0.0) -> Tensor:
    """The times a sampler visits, [steps + 1] float64, from exactly 1 down to exactly 0 on the grid of INTERVALS.

    The first time is the end of the process itself ("trailing" spacing, arXiv 2305.08891, section 3.3). The last but
    one, at which x_0 is predicted for the last time, is not before `earliest`.

    Raises InputError unless 1 <= steps <= INTERVALS.
    """
    if not 1 <= steps <= INTERVALS:
        raise InputError(f"The number of steps must be 1 to {INTERVALS}, not {steps}.")
    last = max(1 / steps, earliest)
    times = torch.linspace(INTERVALS, INTERVALS * last, steps, dtype=torch.float64).round() / INTERVALS
    return torch.cat([times, times.new_zeros(1)])


def cosine_schedule(time: Tensor) -> tuple[Tensor, Tensor]:
    """Variance-preserving (alpha, sigma) = (cos, sin)(pi t / 2): x_t = alpha x_0 + sigma noise.

    Written with sines alone, so that alpha is exactly zero at t = 1 (zero terminal signal, arXiv 2305.08891).
    """
    time = time.double()
    return torch.sin(pi / 2 * (1 - time)), torch.sin(pi / 2 * time)


@dataclass(frozen=True)
class BridgeSchedule:
    """The symmetric noise of I2SB (arXiv 2302.05872): beta rises to the middle of the path and falls again.

    sqrt(beta) rises evenly from sqrt(FIRST_BETA) towards sqrt(beta_max / INTERVALS), which it would reach at t = 1;
    the second half mirrors the first. Between the nodes of the grid, beta is constant.
    """

    beta_max: float

    @cached_property
    def cumulative(self) -> Tensor:
        """Variance accumulated from t = 0 up to each node of the grid, [INTERVALS + 1]."""
        roots = torch.linspace(sqrt(FIRST_BETA), sqrt(self.beta_max / INTERVALS), INTERVALS, dtype=torch.float64)
        half = roots[: INTERVALS // 2].square()
        return torch.cat([half.new_zeros(1), half, half.flip(0)]).cumsum(0)

    def variances(self, time: Tensor) -> tuple[Tensor, Tensor]:
        """Variance gathered from t = 0 (sigma^2) and still to come until t = 1 (sigma-bar^2); section 3.1."""
        cumulative = self.cumulative.to(time.device)
        position = time.double() * INTERVALS
        node = position.long().clamp(max=INTERVALS - 1)
        forward = torch.lerp(cumulative[node], cumulative[node + 1], position - node)
        return forward, cumulative[-1] - forward

    def marginal(self, time: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Weights of x_0 and of x_1, and variance, of q(x_t | x_0, x_1); equation 11."""
        forward, backward = self.variances(time)
        total = forward + backward
        return backward / total, forward / total, forward * backward / total

    def posterior(self, time: Tensor, earlier: Tensor) -> tuple[Tensor, Tensor]:
        """Weight of x_t (that of x_0 is one minus it), and variance, of q(x_earlier | x_0, x_t); equation 4."""
        now, before = self.variances(time)[0], self.variances(earlier)[0]
        return before / now, before * (now - before) / now


def per_item(values: Tensor, like: Tensor) -> Tensor:
    """One number per item [B] as [B, 1, 1], in dtype and on the device of `like`."""
    return values.to(like).view(-1, 1, 1)
