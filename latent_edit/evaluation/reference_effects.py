"""The effects that define the size of a style, measured on real training recordings: presets/reference-effects.yaml.

Made once, before the weights that are judged by them, and again only when `measures` or the styles change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from latent_edit.data.corpora import read_corpus
from latent_edit.data.splits import sample, select
from latent_edit.errors import InputError
from latent_edit.evaluation.cached_scores import CachedScores, ScoreKey
from latent_edit.evaluation.clips import Clip, Recording, WorldEdit
from latent_edit.evaluation.effects import effects, judged_styles
from latent_edit.files import write_text

PER_VOICE = 6
HEADER = """\
# The reference effects of every judged prompt: prompt -> median change of each measure where WORLD renders training
# recordings in exactly that style (evaluation/effects.py says how it is used). harmonicity_db and voiced_share
# are the two measures of breathiness; a measure is absent where a whisper leaves nothing to measure. Written by
# `python -m latent_edit evaluate --suite reference-effects --recordings FOLDER` from {recordings} recordings.
"""


def training_recordings(corpus: Path, voices: Sequence[str]) -> list[Recording]:
    """A few training recordings of each voice. Raises InputError on a wrong folder."""
    utterances = select(read_corpus(corpus), "train")
    own = {voice: [u for u in utterances if u.speaker == voice] for voice in voices}
    if not any(own.values()):
        raise InputError(f"{corpus} has no training recording by {', '.join(voices)}: give one that has")
    return [Recording(u.path, voice, u.text) for voice in voices for u in sample(own[voice], PER_VOICE)]


def measure_reference_effects(
    scores: CachedScores, recordings: Sequence[Recording], tell: Callable[[int, int], None], workers: int = 1
) -> dict[str, dict[str, float]]:
    """Median effect on each measure for every judged prompt; a measure that half of WORLD's edits lack is absent."""
    styles = judged_styles()
    clips: list[Clip] = []
    for recording in recordings:
        clips += [recording, *(WorldEdit(recording, style) for style in styles.values())]
    scores.compute([ScoreKey("measurements", (clip,)) for clip in clips], tell, workers)
    references: dict[str, dict[str, float]] = {}
    for prompt, style in styles.items():
        found = [effects(scores.measurements(r), scores.measurements(WorldEdit(r, style))) for r in recordings]
        references[prompt] = {}
        for name in found[0]:
            values = [value for effect in found if (value := effect[name]) is not None]
            if 2 * len(values) > len(found):
                references[prompt][name] = round(float(np.median(values)), 2) + 0.0
    return references


def write_reference_effects(path: Path, references: dict[str, dict[str, float]], recordings: int) -> None:
    """Write the preset file."""
    lines = [HEADER.format(recordings=recordings)]
    for prompt, found in references.items():
        values = ", ".join(f"{name}: {value}" for name, value in found.items())
        lines.append(f'"{prompt}":\n  {{{values}}}\n')
    write_text(path, "".join(lines))
