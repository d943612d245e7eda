"""Several clips in a grid, each with its latent; one gain, one colour scale and one time axis for all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from latent_edit import audio
from latent_edit.ui.heatmaps import write_heatmap
from latent_edit.ui.parts import served_file
from latent_edit.ui.player import unedited
from latent_edit.wording import NO_VOICE, NOT_MEASURED, measured_row

if TYPE_CHECKING:
    from latent_edit.result import EditResult, TimedPhoneme
    from latent_edit.types import Latent, Waveform

TOLD = {"pitch_hz": "pitch", "pace_phonemes_per_second": "pace", "level_db": "level"}


class Cell(NamedTuple):
    """What is heard and seen in one place of a grid.

    clip: before or after. detail: what was measured, in few words. phonemes: for going on at the same moment elsewhere.
    """

    clip: str
    title: str
    detail: str
    latent: Latent
    waveform: Waveform
    phonemes: Sequence[TimedPhoneme]

    @classmethod
    def before(cls, title: str, result: EditResult) -> Cell:
        """The plain reading."""
        phonemes = result.phonemes_before
        return cls("before", title, unedited(phonemes), result.z_text, result.before, phonemes)

    @classmethod
    def after(cls, title: str, result: EditResult) -> Cell:
        """The edit, and how it differs from its own plain reading."""
        changes = []
        for name, words in TOLD.items():
            row = measured_row(name, result.measurements_before, result.measurements_after)
            missing = NO_VOICE if row["after"] == NO_VOICE else NOT_MEASURED
            changes.append(f"{words} {row['change']}" if row["change"] else f"{words}: {missing}")
        if result.unknown_words:
            changes.append(f"does not know {', '.join(result.unknown_words)}")
        return cls("after", title, ", ".join(changes), result.z_edit, result.after, result.phonemes_after)


def grid_value(
    cells: Sequence[Cell], folder: Path, columns: int | None = None, fixed: str = "", about: str = ""
) -> dict[str, Any]:
    """Write sounds and heatmaps into `folder` and describe them.

    columns: in a row, 0 for as many as fit. fixed: what all cells share. about: what the grid shows, where the cells do
    not say it. cells: each with clip, title, detail, audio (WAV), image (PNG), share of the time axis in percent,
    seconds, and the moments at which phonemes begin and the last one ends.
    """
    from latent_edit.pictures import LATENT_COLOURS, shared_limit

    sounds = [cell.waveform.item(0).numpy() for cell in cells]
    gain, longest = audio.shared_gain(*sounds), max(samples.shape[0] for samples in sounds)
    limit = shared_limit(*(cell.latent for cell in cells))
    described = []
    for index, (cell, samples) in enumerate(zip(cells, sounds, strict=True)):
        place = folder / str(index)
        place.mkdir()
        sound, picture = place / f"{file_name(cell.title)}.wav", place / "latent.png"
        audio.write_wav(sound, samples, cell.waveform.sampling_rate, gain)
        write_heatmap(cell.latent, limit, LATENT_COLOURS, picture)
        described.append(
            {
                "clip": cell.clip,
                "title": cell.title,
                "detail": cell.detail,
                "audio": served_file(sound),
                "image": served_file(picture),
                "share": round(100 * samples.shape[0] / longest, 2),
                "seconds": round(samples.shape[0] / cell.waveform.sampling_rate, 3),
                "moments": _moments(cell.phonemes),
            }
        )
    return {"columns": columns or 0, "fixed": fixed, "about": about, "cells": described}


def file_name(title: str) -> str:
    """A title as a name that every file system takes."""
    return re.sub(r"[^\w.]+", "-", title.lower())[:60].strip("-.") or "take"


def _moments(phonemes: Sequence[TimedPhoneme]) -> list[float]:
    return [0.0, *(round(each.start_second, 3) for each in phonemes), *(each.end_second for each in phonemes[-1:])]
