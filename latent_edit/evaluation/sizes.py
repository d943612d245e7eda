"""The fixed sizes of styles in measured units, from real training recordings: presets/measured-sizes.yaml.

Made once, before the weights that are judged by them, and again only when `measures` or the styles change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from latent_edit.data.corpora import read_corpus
from latent_edit.data.splits import sample, select
from latent_edit.errors import InputError
from latent_edit.evaluation.clips import Clip, Recording, Rendered
from latent_edit.evaluation.jury import Jury, Question
from latent_edit.evaluation.moves import judged_styles, moves
from latent_edit.files import write_text

PER_VOICE = 6
HEADER = """\
# The fixed size of every judged prompt in measured units: prompt -> median move of each measure where WORLD renders
# training recordings in exactly that style (evaluation/moves.py says how it is used). harmonicity_db and voiced_share
# are the two measures of breathiness; a measure is absent where a whisper leaves nothing to measure. Written by
# `python -m latent_edit evaluate --suite sizes --recordings FOLDER` from {recordings} recordings.
"""


def training_recordings(corpus: Path, voices: Sequence[str]) -> list[Recording]:
    """A few training recordings of each voice. Raises InputError on a wrong folder."""
    utterances = select(read_corpus(corpus), "train")
    own = {voice: [u for u in utterances if u.speaker == voice] for voice in voices}
    if not any(own.values()):
        raise InputError(f"{corpus} has no training recording by {', '.join(voices)}: give one that has")
    return [Recording(u.path, voice, u.text) for voice in voices for u in sample(own[voice], PER_VOICE)]


def measure_sizes(
    jury: Jury, recordings: Sequence[Recording], tell: Callable[[int, int], None], workers: int = 1
) -> dict[str, dict[str, float]]:
    """Median move of each measure for every judged prompt; a measure that half of the renditions lack is absent."""
    styles = judged_styles()
    clips: list[Clip] = []
    for recording in recordings:
        clips += [recording, *(Rendered(recording, style) for style in styles.values())]
    jury.prepare([Question("measured", (clip,)) for clip in clips], tell, workers)
    sizes: dict[str, dict[str, float]] = {}
    for prompt, style in styles.items():
        moved = [moves(jury.measured(r), jury.measured(Rendered(r, style))) for r in recordings]
        sizes[prompt] = {}
        for name in moved[0]:
            values = [value for move in moved if (value := move[name]) is not None]
            if 2 * len(values) > len(moved):
                sizes[prompt][name] = round(float(np.median(values)), 2) + 0.0
    return sizes


def write_sizes(path: Path, sizes: dict[str, dict[str, float]], recordings: int) -> None:
    """Write the preset file."""
    lines = [HEADER.format(recordings=recordings)]
    for prompt, moved in sizes.items():
        values = ", ".join(f"{name}: {value}" for name, value in moved.items())
        lines.append(f'"{prompt}":\n  {{{values}}}\n')
    write_text(path, "".join(lines))
