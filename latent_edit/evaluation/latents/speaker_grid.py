"""The paper's grid of speakers: CLAP of a clip of voice A or B, spoken by the decoder as A or B.

Its finding (arXiv 2311.10804): the clip of another speaker changes content more than style, the decoder's speaker id
changes style strongly. Here also with the speaker exchanged in the flow, and without any clip.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import permutations

import numpy as np

from latent_edit.axes import AXES, BREATHINESS
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip, PlainSynthesis, Recording
from latent_edit.evaluation.latents.latent_clips import Exchanged
from latent_edit.evaluation.plan import NEUTRAL, Plan, sentences
from latent_edit.evaluation.rows import Row, Unit
from latent_edit.evaluation.statistics import Estimate, Observation, estimate
from latent_edit.evaluation.synthesis_quality import PEOPLE, errors
from latent_edit.request import EditRequest
from latent_edit.success import BREATH, effects

GRID, GRID_AXES = "latents, grid: ", "latents, grid, axes: "
HEARD, TO_A, TO_B, LOST, CHANGED = "nearer to B", "cosine to A", "cosine to B", "words lost", "change of manner"
HEARD_PEOPLE = "nearer to B, different people"
CLIPS, DECODERS = ("no clip", "clip of A", "clip of B"), ("decoder A", "decoder B", "decoder and flow B")
BREATH_FLOOR_DB = 4.0  # of the harmonicity: what a breathiness of 0.4, the axis' floor, takes


@dataclass(frozen=True)
class Cell:
    """One place of the grid: a sentence of voice A, `before` as it is, and what is made of it with voice B."""

    clip: str
    decoder: str
    before: PlainSynthesis
    other: str
    made: Exchanged | PlainSynthesis

    @property
    def of_two_people(self) -> bool:
        """Whether A and B are not the same actor."""
        own, other = (PEOPLE.get(voice, voice) for voice in (self.before.voice, self.other))
        return own != other


def cells(plan: Plan, count: int) -> list[Cell]:
    """All ordered pairs of voices, on `count` sentences of voice A each; no clip is of a sentence that is spoken."""
    found = []
    for place in range(count):
        for own, other in permutations(plan.voices, 2):
            texts = sentences(own, plan.split)
            if place < len(texts):
                clips = {"clip of A": _clip(plan, own, place), "clip of B": _clip(plan, other, place)}
                found += list(_cells_of(PlainSynthesis(texts[place], own, place), other, clips))
    return found


def _cells_of(before: PlainSynthesis, other: str, clips: Mapping[str, Recording]) -> Iterator[Cell]:
    for name in CLIPS:
        clip = clips.get(name)
        if clip is None:
            request = EditRequest(before.text, before.voice, NEUTRAL, seed=before.seed)
        else:
            request = EditRequest(before.text, before.voice, reference=clip.path, seed=before.seed)
        for decoder in DECODERS:
            speaker = before.voice if decoder == "decoder A" else other
            made = Exchanged(request, clip, speaker, decoder == "decoder and flow B")
            # What is the same sound is not judged twice: a recogniser may hear another word the second time.
            untouched = clip is None and speaker == before.voice
            yield Cell(name, decoder, before, other, before if untouched else made)


def _clip(plan: Plan, voice: str, place: int) -> Recording:
    """A held-out recording of a voice, another for each sentence and none of a sentence that is judged."""
    judged = {text for own in plan.voices for text in sentences(own, plan.split)}
    usable = [recording for recording in plan.recorded[voice] if recording.text not in judged]
    return usable[place % len(usable)]


Measure = Callable[[CachedScores, Cell], "tuple[float, float] | None"]


def grid_rows(scores: CachedScores, plan: Plan, count: int) -> list[Row]:
    """Whose voice is heard in each cell, which words are lost, and how much of the manner changes."""
    centres = voice_centres(scores, plan)
    every = cells(plan, count)

    def heard(scores: CachedScores, cell: Cell) -> tuple[float, float]:
        to_a, to_b = _near(scores, cell, centres)
        return float(to_b > to_a), 1.0

    figures: dict[str, tuple[Unit, Measure]] = {
        GRID + HEARD: ("percent", heard),
        GRID + HEARD_PEOPLE: ("percent", lambda s, c: heard(s, c) if c.of_two_people else None),
        GRID + TO_A: ("cosine", lambda s, c: (_near(s, c, centres)[0], 1.0)),
        GRID + TO_B: ("cosine", lambda s, c: (_near(s, c, centres)[1], 1.0)),
        GRID + LOST: ("points", lambda s, c: words_lost(s, c.before, c.made)),
        GRID + CHANGED: ("times", lambda s, c: change_of_manner(s, c.before, c.made)),
    }
    for name, title in {
        **{n: axis.title.lower() for n, axis in AXES.items() if n != BREATHINESS},
        BREATH: "breath",
    }.items():
        figures[GRID_AXES + title] = ("times", partial(_size_of, name))
    rows = []
    for what, (unit, measure) in figures.items():
        for clip in CLIPS:
            for decoder in DECODERS:
                own = [cell for cell in every if (cell.clip, cell.decoder) == (clip, decoder)]
                found = [(cell, measure(scores, cell)) for cell in own]
                rows.append(Row(what, f"{clip}, {decoder}", _estimate(found), unit))
    return rows


def _size_of(name: str, scores: CachedScores, cell: Cell) -> tuple[float, float] | None:
    """Size of the effect on one axis, in floors."""
    found = effect_sizes(scores, cell.before, cell.made)
    return (found[name], 1.0) if name in found else None


def _estimate(found: Sequence[tuple[Cell, tuple[float, float] | None]]) -> Estimate:
    return estimate(
        [
            Observation(value[0], cell.before.text, f"{cell.before.voice}, {cell.other}", value[1])
            for cell, value in found
            if value is not None
        ]
    )


def voice_centres(scores: CachedScores, plan: Plan, count: int = 20) -> dict[str, np.ndarray]:
    """Mean speaker embedding of held-out recordings of each voice, none of a sentence that is judged, [256]."""
    judged = {text for own in plan.voices for text in sentences(own, plan.split)}
    return {
        voice: np.mean([scores.score("speaker", r) for r in own if r.text not in judged][:count], axis=0)
        for voice, own in plan.recorded.items()
    }


def _near(scores: CachedScores, cell: Cell, centres: Mapping[str, np.ndarray]) -> tuple[float, float]:
    """Cosine of what is heard to the recordings of A and of B."""
    heard = np.array(scores.score("speaker", cell.made))
    near = [float(heard @ c / np.linalg.norm(c)) for c in (centres[cell.before.voice], centres[cell.other])]
    return near[0], near[1]


def words_lost(scores: CachedScores, before: Clip, after: Clip) -> tuple[float, float]:
    """Words that Moonshine has wrong after less before, out of the words of the sentence."""
    wrong, words = errors(scores, after, "moonshine")
    return wrong - errors(scores, before, "moonshine")[0], words


def effect_sizes(scores: CachedScores, before: Clip, after: Clip) -> dict[str, float]:
    """Size of each effect that can be measured, in floors of its axis."""
    found = effects(scores.measurements(before), scores.measurements(after))
    floors = {name: axis.floor for name, axis in AXES.items() if name in found} | {BREATH: BREATH_FLOOR_DB}
    return {name: abs(effect) / floors[name] for name in floors if (effect := found[name]) is not None}


def change_of_manner(
    scores: CachedScores, before: Clip, after: Clip, but: str | None = None
) -> tuple[float, float] | None:
    """Mean size of the effects on all axes but one; None where nothing was measured."""
    sizes = [size for name, size in effect_sizes(scores, before, after).items() if name != but]
    return (float(np.mean(sizes)), 1.0) if sizes else None
