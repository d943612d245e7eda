"""Manners that people act: what changes from a neutral take of a sentence to an emotional one, beside its axes.

Learnt from acted speech by `data.acted_manners` (`prepare manners`) and read from presets/manners.yaml. What the axes
of style cannot say is here: where in a sentence F0 and energy go up and down, which bands of the spectrum gain, and
which sounds last longer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from latent_edit.config import PRESETS, read_yaml
from latent_edit.files import write_text

PLACES = 16  # of a contour, from the first to the last frame of speech
BAND_EDGES_HZ = (60.0, 200.0, 400.0, 630.0, 920.0, 1270.0, 1720.0, 2320.0, 3150.0, 4400.0, 7700.0)  # two Bark each
SMOOTHING_SECONDS = 0.064  # standard deviation of the Gaussian over contours
FLOOR_DB = 35.0  # below the loudest frame; what is softer counts as this
SOUNDS = ("stressed vowel", "vowel", "sonorant", "fricative", "plosive")
THIRDS = 3  # of a sentence
FILE = PRESETS / "manners.yaml"
PROMPTS = {  # one for each of the manners, as the page offers them
    "angry": "angry", "happy": "happy", "afraid": "fearful", "sad": "sad", "bored": "bored", "disgusted": "disgusted",
}  # fmt: skip


class Take(NamedTuple):
    """One way to act a manner. f0, energy: by how many of their own standard deviations the contours of a sentence
    change, [PLACES] each; balance: by how many dB each of the bands between `BAND_EDGES_HZ` changes against their mean.
    """

    f0: np.ndarray
    energy: np.ndarray
    balance: np.ndarray

    def times(self, size: float) -> Take:
        """All of it larger or smaller."""
        return Take(size * self.f0, size * self.energy, size * self.balance)


@dataclass(frozen=True, eq=False)
class Manner:
    """axes: change of each style axis, by name; middle: the take around which all others lie, None where only the axes
    are to change; modes: how takes differ from it, one standard deviation each, [K, 2, PLACES], F0 and energy. rhythm:
    logarithm of how many times longer each of `SOUNDS` is to last in each third of a sentence, [SOUNDS, THIRDS]; how
    long the whole lasts is the pace of `axes` alone.
    """

    axes: Mapping[str, float]
    middle: Take | None
    modes: np.ndarray
    rhythm: np.ndarray

    def take(self, random: np.random.Generator) -> Take | None:
        """Another take of the same manner for other random numbers."""
        if self.middle is None:
            return None
        f0, energy = np.tensordot(random.standard_normal(len(self.modes)), self.modes, 1)
        return Take(self.middle.f0 + f0, self.middle.energy + energy, self.middle.balance)


@lru_cache(maxsize=1)
def load_manners() -> dict[str, Manner]:
    """The manners by name."""
    return {name: from_dict(entry) for name, entry in read_yaml(FILE)["manners"].items()}


def write_manners(manners: Mapping[str, Manner], actors: Sequence[str], path: Path = FILE) -> None:
    """Write a file that `load_manners` reads."""
    import yaml

    content = {"actors": list(actors), "manners": {name: to_dict(manner) for name, manner in manners.items()}}
    text = yaml.safe_dump(content, default_flow_style=None, width=118, sort_keys=False)
    write_text(path, f"# Written by `prepare manners`; see latent_edit/manners.py.\n{text}")


def at_places(contour: np.ndarray, frames_per_second: float) -> np.ndarray:
    """A contour [F] smoothed, at PLACES places from its start to its end."""
    deviation = SMOOTHING_SECONDS * frames_per_second
    reach = round(3 * deviation)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    smooth = np.convolve(np.pad(contour, reach, mode="edge"), kernel / kernel.sum(), mode="valid")
    return np.interp(np.linspace(0, len(smooth) - 1, PLACES), np.arange(len(smooth)), smooth)


def digest(manners: Mapping[str, Manner]) -> str:
    """SHA-256 (hex) of manners."""
    content = json.dumps({name: to_dict(manner) for name, manner in manners.items()}, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def from_dict(entry: Mapping[str, Any]) -> Manner:
    """A manner as `to_dict` wrote it."""
    f0, energy, balance = (np.array(entry[name]) for name in ("f0", "energy", "balance"))
    return Manner(entry["axes"], Take(f0, energy, balance), np.array(entry["modes"]), np.array(entry["rhythm"]))


def to_dict(manner: Manner) -> dict[str, Any]:
    """Plain values, rounded."""

    def plain(values: np.ndarray) -> list[Any]:
        rounded: list[Any] = np.round(values, 2).tolist()
        return rounded

    middle = {} if manner.middle is None else manner.middle._asdict()
    return {
        "axes": {name: round(value, 2) for name, value in manner.axes.items()},
        **{name: plain(values) for name, values in middle.items()},
        "modes": plain(manner.modes),
        "rhythm": plain(manner.rhythm),
    }
