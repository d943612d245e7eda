"""Listeners as a judge: the scores of a listening test, as rows beside those of the other judges."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from latent_edit.evaluation.rows import Row, Unit
from latent_edit.evaluation.statistics import Observation, estimate

WHAT = "listeners, {block} ({test})"
UNITS: dict[str, Unit] = {"mos": "rating", "emos": "rating", "smos": "rating", "mushra": "rating", "ccr": "rating"}


class ClipScore(Protocol):
    """What listeners made of one clip, as `listening.export.scores` gives it for a study's answers."""

    @property
    def block(self) -> str:
        """Part of the study."""

    @property
    def test(self) -> str:
        """Kind of test: mos, smos, ab, ccr, mushra, ..."""

    @property
    def item(self) -> str:
        """What is compared across conditions, such as a sentence in a voice."""

    @property
    def condition(self) -> str:
        """The system that made it."""

    @property
    def value(self) -> float:
        """Mean rating, or a share of answers."""

    @property
    def answers(self) -> int:
        """How many."""


def listener_rows(study: Iterable[ClipScore]) -> list[Row]:
    """Mean over clips of each condition in each part of a study, every clip weighing as much as it has answers."""
    found: dict[tuple[str, str, str], list[Observation]] = {}
    for score in study:
        observation = Observation(score.value * score.answers, score.item, "", weight=score.answers)
        found.setdefault((score.block, score.test, score.condition), []).append(observation)
    return [
        Row(
            WHAT.format(block=block, test=test),
            condition,
            estimate(observations),
            UNITS.get(test, "percent"),
            beside=f"{len(observations)} clips, {round(sum(o.weight for o in observations))} answers",
        )
        for (block, test, condition), observations in found.items()
    ]
