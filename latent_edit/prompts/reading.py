"""What a prompt was understood to ask for: plain values, which the page shows and edit.json keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from latent_edit.axes import AXES


@dataclass(frozen=True)
class AskedAxis:
    """What is asked of one style axis.

    name: of `axes.AXES`, which has its unit. words: of the prompt from which the value comes. exact: said as a number,
    denied, or set by hand: then it holds whatever the bridge does by itself.
    """

    name: str
    value: float
    words: tuple[str, ...] = ()
    exact: bool = False

    @property
    def named(self) -> bool:
        """Whether it is as much as counts as naming the axis (just audible: half a floor)."""
        return abs(self.value) >= AXES[self.name].floor / 2


@dataclass(frozen=True)
class Substitution:
    """A word that is not known and what it was taken as; typo: because it is spelt nearly so."""

    word: str
    taken_as: str
    typo: bool


@dataclass(frozen=True)
class OutOfScope:
    """Words about something that an edit can't change. effect: they change the manner all the same."""

    words: str
    about: str
    effect: bool = False


@dataclass(frozen=True)
class PromptReading:
    """A prompt, read.

    text: what the CLAP is given: what is asked for, without what is denied. axes: all seven, in the order of
    `axes.AXES`. emotion: the strongest one, if there is any. manner: of `manners.load_manners`, where no expression but
    those of this emotion is used, and manner_size times its size. understood: whether anything was. denied: expressions
    that the prompt does not want. not_understood: words without a meaning here. notes: further remarks, one line each.
    """

    prompt: str
    text: str
    axes: tuple[AskedAxis, ...]
    emotion: str | None = None
    manner: str | None = None
    manner_size: float = 0.0
    understood: bool = False
    denied: tuple[str, ...] = ()
    substitutions: tuple[Substitution, ...] = ()
    not_understood: tuple[str, ...] = ()
    out_of_scope: tuple[OutOfScope, ...] = ()
    notes: tuple[str, ...] = ()

    def value(self, name: str) -> float:
        """What is asked of an axis, in its unit."""
        return next(axis.value for axis in self.axes if axis.name == name)

    @property
    def values(self) -> dict[str, float]:
        """All axes by name."""
        return {axis.name: axis.value for axis in self.axes}

    @property
    def exact(self) -> dict[str, float]:
        """Only the axes that hold exactly."""
        return {axis.name: axis.value for axis in self.axes if axis.exact}

    def corrected(self, by_hand: Mapping[str, float] | None) -> PromptReading:
        """The same with axes set by hand."""
        if not by_hand:
            return self
        axes = tuple(
            replace(axis, value=by_hand[axis.name], words=("by hand",), exact=True) if axis.name in by_hand else axis
            for axis in self.axes
        )
        return replace(self, axes=axes, understood=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as in edit.json."""
        return asdict(self)
