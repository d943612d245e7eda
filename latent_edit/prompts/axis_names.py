"""Axes by their names and what makes more or less of them: "low volume", "raise the pitch", "a moderate pace"."""

from __future__ import annotations

from collections.abc import Sequence

from latent_edit.prompts.amounts import PACE
from latent_edit.prompts.grammar import Unit


def axis_with_direction(units: Sequence[Unit], at: int) -> tuple[str, int, int] | None:
    """An axis and a direction that stand together: (axis, -1, 0 or 1, units taken)."""
    window = units[at : at + 6]
    if not window or not {"axis", "up", "down", "same"} & window[0].roles.keys():
        return None
    axis = direction = None
    for count, unit in enumerate(window, start=1):
        if (
            "axis" in unit
            and axis is None
            and not (count == 1 and "term" in unit and direction is None and not _directed(window[1:]))
        ):
            axis = str(unit.roles["axis"])
        elif direction is None and {"up", "down", "same"} & unit.roles.keys():
            direction = _direction(unit)
            # "high voice, fast pace": the second direction belongs to the second axis
        elif ("filler" in unit and set(unit.roles) <= {"filler", "restart", "contrast"}) or (
            "intensity" in unit and "term" not in unit
        ):
            continue
        else:
            return None
        if axis is not None and direction is not None:
            if (
                axis == PACE
                and window[0].text in ("slow", "slower", "fast", "faster")
                and "axis" not in window[count - 1]
            ):
                return None
            return axis, direction, count
    return None


def _directed(window: Sequence[Unit]) -> bool:
    """Whether a direction follows at once, fillers apart."""
    for unit in window:
        if {"up", "down", "same"} & unit.roles.keys():
            return True
        if not set(unit.roles) <= {"filler", "restart"}:
            return False
    return False


def _direction(unit: Unit) -> int:
    return 1 if "up" in unit else -1 if "down" in unit else 0
