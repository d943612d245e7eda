"""A figure with its interval, its gate and its aim, and whether they hold: computed, never typed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from latent_edit.evaluation.statistics import Estimate

Unit = Literal[
    "percent", "points", "cosine", "cents", "mos", "times", "nepers", "semitones", "rating",
    "hertz", "decibels", "count", "correlation",
]  # fmt: skip
WRITTEN: Mapping[Unit, Callable[[float], str]] = {
    "percent": lambda x: f"{100 * x:.1f} %",
    "points": lambda x: f"{100 * x:+.1f} points",
    "cosine": lambda x: f"{x:+.3f}",
    "correlation": lambda x: f"{x:.2f}",
    "cents": lambda x: f"{x:.0f} cents",
    "mos": lambda x: f"{x:+.2f}",
    "times": lambda x: f"{x:+.2f}",
    "nepers": lambda x: f"{x:.2f}",
    "rating": lambda x: f"{x:.2f}",
    "semitones": lambda x: f"{x:.2f} st",
    "hertz": lambda x: f"{x:.0f} Hz",
    "count": lambda x: f"{x:.0f}",
    "decibels": lambda x: f"{x:+.1f} dB",
}


@dataclass(frozen=True)
class Goal:
    """words: as a person writes it. limit: what `of` the estimate has to reach (at_least) or stay at or below."""

    words: str
    limit: float
    at_least: bool = False
    of: Literal["value", "low", "high"] = "value"

    def met(self, estimate: Estimate) -> bool | None:
        """Whether it holds; None where nothing was measured."""
        reached: float | None = getattr(estimate, self.of)
        if reached is None:
            return None
        return reached >= self.limit if self.at_least else reached <= self.limit


@dataclass(frozen=True)
class Row:
    """One line of the report. what, of: its name. beside: figures to read it by. Without a gate it only informs."""

    what: str
    of: str
    estimate: Estimate
    unit: Unit
    gate: Goal | None = None
    aim: Goal | None = None
    beside: str = ""

    @property
    def verdict(self) -> str:
        """Of gate and aim."""
        if self.gate is None:
            return ""
        holds = self.gate.met(self.estimate)
        if holds is None:
            return "not measured"
        return ("aim reached" if self.aim and self.aim.met(self.estimate) else "holds") if holds else "**missed**"

    def cells(self) -> list[str]:
        """As a line of the table."""
        write, e = WRITTEN[self.unit], self.estimate
        value = "–" if e.value is None else write(e.value)
        interval = "" if e.low is None or e.high is None else f"{write(e.low)} to {write(e.high)}"
        goals = [goal.words if goal else "" for goal in (self.gate, self.aim)]
        return [self.what, self.of, value, interval, *goals, self.verdict, self.beside]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_dict(content: Mapping[str, Any]) -> Row:
        """The inverse of `to_dict`."""
        goals = {name: Goal(**content[name]) if content[name] else None for name in ("gate", "aim")}
        return Row(**{**content, **goals, "estimate": Estimate(**content["estimate"])})


HEADER = ("what", "of", "value", "95 % interval", "gate", "aim", "verdict", "beside")


def percent(value: float | None) -> str:
    """A share for the column `beside`."""
    return "–" if value is None else f"{100 * value:.1f} %"


def number(value: float | None, digits: int = 2) -> str:
    """A number for the column `beside`."""
    return "–" if value is None else f"{value:.{digits}f}"
