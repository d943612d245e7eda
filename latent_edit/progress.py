"""The stages of an edit: what people are told while they wait, and the seconds that each takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

Progress = Callable[[str, float], None]
"""`progress(words, fraction)`: what is being done and how much of the whole is, 0 to 1. It cancels by raising."""

STAGES = {  # name in `seconds`: words for people, share of the whole that is done when the stage begins
    "text": ("reading the text", 0.0),
    "before": ("speaking it plainly", 0.1),
    "style": ("listening to the style", 0.25),
    "time_scaling": ("setting the pace", 0.3),
    "bridge": ("sampling the bridge", 0.35),
    "correction": ("correcting pitch, level and breath", 0.55),
    "after": ("speaking it in the style", 0.75),
    "measure": ("measuring", 0.9),
}

MAX_DECODED = 21  # latents on the way across a bridge that are decoded, both ends among them; more would only be slow
MAX_DECODED_SECONDS = 180  # of a long text fewer are decoded, so that all of them together last about as long


@dataclass
class StageClock:
    """Tells the stages to `progress` and keeps the seconds that each took."""

    progress: Progress | None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        self.tell(stage, 0.0)
        start = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - start

    def tell(self, stage: str, share: float) -> None:
        """`share` of this stage is done, 0 to 1."""
        if self.progress:
            words, begin = STAGES[stage]
            end = min((later for _, later in STAGES.values() if later > begin), default=1.0)
            self.progress(words, begin + share * (end - begin))


def steps_to_decode(steps: int, seconds: float) -> list[int]:
    """Which of so many steps are decoded when each lasts so long: evenly, the last among them."""
    affordable = min(MAX_DECODED, int(MAX_DECODED_SECONDS / max(seconds, 1e-9))) - 1  # one is before the first step
    return sorted({round(step) for step in np.linspace(0, steps - 1, min(steps, max(2, affordable)))})
