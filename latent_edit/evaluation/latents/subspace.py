"""A style subspace of the latents: the direction in which each axis lies, without what says phoneme or speaker.

The paper's question whether content and style can be disentangled, asked as an intervention: every frame of a plain
synthesis is moved along a direction by what WORLD's renderings of that size moved, decoded, and measured; beside the
same wish by the default bridge, and a random direction of the same length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from latent_edit.axes import AXES, BREATHINESS, LEVEL, PITCH, RANGE, TILT, TREMOR, Axis
from latent_edit.evaluation.cached_scores import CachedScores
from latent_edit.evaluation.clips import Clip, PlainSynthesis
from latent_edit.evaluation.latents import probes
from latent_edit.evaluation.latents.latent_clips import ByHand, Moved
from latent_edit.evaluation.latents.latent_frames import Z_AUDIO, Spoken, classes
from latent_edit.evaluation.latents.speaker_grid import change_of_manner, words_lost
from latent_edit.evaluation.latents.styled_latents import Rendered
from latent_edit.evaluation.plan import Plan, sentences
from latent_edit.evaluation.rows import Row, Unit
from latent_edit.evaluation.statistics import Observation, estimate
from latent_edit.success import BREATH, HARMONICITY_DB, MEASURED, effects

SUBSPACE = "latents, subspace: "
REACHED, LEAKED, LOST, SAME = "reached", "leakage", "words lost", "same voice"
SIZE = 1.5  # floors of the axis, asked for
SEED = 20231118
WORDS = {  # that ask for more and for less of each axis; how much, is set by hand
    PITCH: ("a higher voice", "a lower voice"),
    RANGE: ("more melodic", "flatter"),
    LEVEL: ("louder", "quieter"),
    TILT: ("a brighter voice", "a duller voice"),
    BREATHINESS: ("a breathy voice",),
    TREMOR: ("a trembling voice",),
}
BRIDGE, DIRECTION, ORTHOGONAL, RANDOM = "default bridge", "direction", "direction, orthogonalised", "random direction"


@dataclass(frozen=True)
class Directions:
    """How far latents move, per unit of each axis. plain, orthogonal: axis -> [C]; the second has no part in what the
    probes of phoneme classes and speakers read."""

    plain: dict[str, np.ndarray]
    orthogonal: dict[str, np.ndarray]


def fit_directions(recordings: Sequence[Spoken], rendered: Sequence[Rendered]) -> Directions:
    """Least squares of the change of the mean frame, by a rendering in a style, on the values of its axes.

    Probes' own weights say where an axis can be read, not what moves with it (Haufe et al. 2014, NeuroImage 87).
    """
    changes = np.array([item.means[Z_AUDIO] - item.neutral[Z_AUDIO] for item in rendered])
    axes = np.array([item.style.as_array() for item in rendered], dtype=float)
    per_unit = np.linalg.lstsq(axes, changes, rcond=None)[0]
    frames = np.concatenate([x.spaces[Z_AUDIO] for x in recordings])
    speakers = np.array([x.recording.voice for x in recordings for _ in range(len(x))])
    phonemes = classes(np.concatenate([x.phonemes for x in recordings]))
    read = np.concatenate([probe_directions(frames, labels) for labels in (phonemes, speakers)])
    apart = probes.orthogonal_to(per_unit, read)
    return Directions(*({name: rows[place] for place, name in enumerate(AXES)} for rows in (per_unit, apart)))


def probe_directions(frames: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What a logistic regression weighs frames [N, C] by to tell labels [N], [K, C]; of two labels one direction."""
    scaler, model = probes.classifier(frames, labels)
    weights: np.ndarray = model.coef_ / scaler.scale_
    return weights


@dataclass(frozen=True)
class Wish:
    """One axis, by so much, on one sentence in one voice. prompt: words that name it."""

    axis: Axis
    value: float
    prompt: str
    before: PlainSynthesis


def wishes(plan: Plan, count: int) -> list[Wish]:
    """Every axis but pace (a latent of the same length cannot have another) both ways, on `count` combinations."""
    texts = [(voice, place) for place in range(count) for voice in plan.voices][:count]
    befores = [PlainSynthesis(sentences(voice, plan.split)[place], voice, place) for voice, place in texts]
    asked = [
        (AXES[name], sign * SIZE * AXES[name].floor, prompt)
        for name, prompts in WORDS.items()
        for sign, prompt in zip((1, -1), prompts, strict=False)
    ]
    return [Wish(*each, before) for each in asked for before in befores]


def systems(directions: Directions) -> dict[str, Callable[[Wish], Clip]]:
    """What grants wishes."""
    generator = np.random.default_rng(SEED)
    drawn = {name: probes.unit(generator.standard_normal(vector.size)) for name, vector in directions.plain.items()}

    def along(vectors: Mapping[str, np.ndarray]) -> Callable[[Wish], Clip]:
        return lambda wish: Moved(wish.before, tuple(np.round(wish.value * vectors[wish.axis.name], 4).tolist()))

    lengths = {name: np.linalg.norm(vector) for name, vector in directions.plain.items()}
    return {
        BRIDGE: lambda wish: ByHand(wish.before, wish.prompt, wish.axis.name, wish.value),
        DIRECTION: along(directions.plain),
        ORTHOGONAL: along(directions.orthogonal),
        RANDOM: along({name: lengths[name] * vector for name, vector in drawn.items()}),
    }


def subspace_rows(scores: CachedScores, plan: Plan, directions: Directions, count: int) -> list[Row]:
    """What each system reaches on the axis asked, what else it changes, and the words and the voice it keeps."""
    asked = wishes(plan, count)
    figures: dict[str, tuple[Unit, Callable[[CachedScores, Wish, Clip], tuple[float, float] | None]]] = {
        REACHED: ("times", reached),
        LEAKED: ("times", lambda s, w, c: change_of_manner(s, w.before, c, effect_of(w.axis))),
        LOST: ("points", lambda s, w, c: words_lost(s, w.before, c)),
        SAME: ("cosine", lambda s, w, c: (float(np.dot(s.score("speaker", w.before), s.score("speaker", c))), 1.0)),
    }
    rows = []
    for name, grants in systems(directions).items():
        made = [(wish, grants(wish)) for wish in asked]
        for what, (unit, measure) in figures.items():
            rows.append(_row(SUBSPACE + what, name, [(w, measure(scores, w, c)) for w, c in made], unit))
        for axis in dict.fromkeys(wish.axis for wish in asked):
            own = [(w, reached(scores, w, c)) for w, c in made if w.axis == axis]
            rows.append(_row(f"{SUBSPACE}{axis.title.lower()}, reached", name, own, "times"))
    return rows


def _row(what: str, of: str, found: Sequence[tuple[Wish, tuple[float, float] | None]], unit: Unit) -> Row:
    observed = [Observation(v[0], wish.before.text, wish.before.voice, v[1]) for wish, v in found if v is not None]
    return Row(what, of, estimate(observed), unit)


def effect_of(axis: Axis) -> str:
    """The name of the effect that tells an axis."""
    return BREATH if axis.name == BREATHINESS else axis.name


def reached(scores: CachedScores, wish: Wish, clip: Clip) -> tuple[float, float] | None:
    """The effect on the axis asked as a multiple of what was asked, in measured units (`success`)."""
    effect = effects(scores.measurements(wish.before), scores.measurements(clip))[effect_of(wish.axis)]
    size = wish.value * (HARMONICITY_DB if wish.axis.name == BREATHINESS else MEASURED.get(wish.axis.name, 1.0))
    return None if effect is None else (effect / size, 1.0)
