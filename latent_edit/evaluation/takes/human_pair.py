"""The human pair: is the change from one recorded manner of a person to another learnt from two takes of sentences?

A bridge of the preset `takes` and its controls say held-out plain takes in the other manner. The measure of all is the
true take of that sentence in that manner, frame by frame. Everything is encoded and decoded as the plain voice, so that
the change has to be in the latent.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from latent_edit.axes import AXES, PACE
from latent_edit.bridge import Bridge
from latent_edit.data.latents import Latents
from latent_edit.data.splits import Split, sample
from latent_edit.data.styles import Style, style_of
from latent_edit.data.takes import TakePair, aligned, encode_take, recorded_pairs
from latent_edit.evaluation.cached_scores import CachedScores, ScoreKey
from latent_edit.evaluation.clips import Clip, Recording, Sound, WorldEdit, editor_code, sound_of
from latent_edit.evaluation.code_hash import code_hash
from latent_edit.evaluation.comparison import PAIRED
from latent_edit.evaluation.rows import Row, Unit
from latent_edit.evaluation.statistics import Observation, estimate
from latent_edit.evaluation.takes.take_frames import distances
from latent_edit.judges import word_errors
from latent_edit.models.alignment import same_moments
from latent_edit.prompts.lexicon import MAXIMA, MINIMA
from latent_edit.success import effects
from latent_edit.synthesis import BRIDGE_STREAM, generator
from latent_edit.types import Latent

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor
    from latent_edit.models.vits import FrozenVits

PLAIN, STYLED = "sam_a", "sam_b"  # one actor (NOTICE.md)
SENTENCES = 40  # held out
MEASURED, EMBEDDED = 100, 20  # training sentences for the mean change of the axes, and for what a voice sounds like
STEPS = 10
TITLE = "human pair, "  # how its rows begin
IDENTITY = "the plain take, resynthesised"
FIGURES: Mapping[str, tuple[str, Unit]] = {
    "f0_shape": ("shape of F0, correlation", "cosine"),
    "f0_slow_shape": ("shape of F0, smoothed over 128 ms", "cosine"),
    "energy_shape": ("shape of energy, correlation", "cosine"),
    "f0_median": ("median of F0, off by", "semitones"),
    "f0_range": ("range of F0, off by", "semitones"),
    "tilt": ("tilt, off by", "decibels"),
    "duration": ("duration, off by", "percent"),
    "log_mel": ("log-mel distance", "nepers"),
    "words": ("words wrong (Moonshine)", "percent"),
    "plain_voice": (f"speaker, cosine to {PLAIN}", "cosine"),
    "styled_voice": (f"speaker, cosine to {STYLED}", "cosine"),
}
ABOUT = f"""\
## One actor, two manners

`{STYLED}` is `{PLAIN}`'s actor in another manner, and both have recorded the same sentences. A bridge was trained on
the two takes of each training sentence (`prepare takes`, preset `takes`); here it says {SENTENCES} held-out takes of
{PLAIN} in the other manner, beside controls. Everything is encoded and decoded as {PLAIN}, frames are compared with the
true take of {STYLED}, phoneme by phoneme. Below each value: its paired difference from the resynthesised plain take.
Made by `evaluate --suite human-pair`."""


@dataclass(frozen=True, eq=False)
class Learnt:
    """What training takes say of the other manner. style: centred, [1, D]. shift: mean change of the latent, [C, 1].

    log_ratio: mean logarithm of the duration ratio. axes: mean change of the axes.
    """

    bridge: Bridge
    style: Tensor
    shift: Tensor
    log_ratio: float
    axes: Style


def learn(bridge: Bridge, takes: Latents, scores: CachedScores, pairs: Sequence[TakePair]) -> Learnt:
    """Sum up prepared takes (`data.takes.load_takes`); the axes are measured on recordings of some of these pairs."""
    style = bridge.centred(takes.audio_style, "audio").mean(0, keepdim=True)
    change = [
        target.float() - source.float()
        for source, target in zip(takes.examples["neutral"], takes.examples["target"], strict=True)
    ]
    found = [effects(*(scores.measurements(recording) for recording in recordings(pair))) for pair in pairs]
    means = {name: [value for effect in found if (value := effect.get(name)) is not None] for name in AXES}
    log_ratio = float(takes.log_ratio.mean())
    means[PACE] = [log_ratio]
    axes = np.array([np.mean(means[name] or [0.0]) for name in AXES])
    return Learnt(
        bridge,
        torch.nn.functional.normalize(style, dim=1),
        torch.cat(change, dim=1).mean(1, keepdim=True),
        log_ratio,
        style_of(np.clip(axes, MINIMA, MAXIMA)),
    )


def recordings(pair: TakePair) -> tuple[Recording, Recording]:
    """The plain and the styled take as clips."""
    plain, styled = (Recording(take.path, take.speaker, take.text) for take in (pair.plain, pair.styled))
    return plain, styled


@dataclass(frozen=True)
class Said:
    """A take that a system resynthesises in latent space. system: its name in `LATENT_SYSTEMS`."""

    pair: TakePair
    system: str
    learnt: Learnt

    @property
    def voice(self) -> str:
        """The plain take's."""
        return self.pair.plain.speaker

    @property
    def text(self) -> str:
        """What both takes say."""
        return self.pair.plain.text

    def identity(self, editor: LatentEditor) -> list[Any]:
        """Both takes, the system with what it learnt (where it changes nothing, nothing), the voice, and the code."""
        learnt = self.learnt
        of_training = [learnt.bridge.hash, learnt.log_ratio, learnt.shift.tolist(), learnt.style.tolist()]
        takes = [recording.identity(editor) for recording in recordings(self.pair)]
        code = [editor.vits.hash, editor_code(editor), code_hash(__name__)]
        unchanged = LATENT_SYSTEMS[self.system][1] is _same
        return ["said", self.system, *takes, *code, *([] if unchanged else of_training)]

    def render(self, editor: LatentEditor) -> Sound:
        """Encode, change, decode."""
        take, change, voice = LATENT_SYSTEMS[self.system]
        latent = encode_take(editor.vits, getattr(self.pair, take), PLAIN)
        return sound_of(editor.vits.decode(change(editor.vits, self.learnt, latent), voice))


@torch.no_grad()
def bridged(vits: FrozenVits, learnt: Learnt, latent: Latent, steps: int = STEPS) -> Latent:
    """By the bridge at guidance 1, at the length that it predicts."""
    bridge, speaker = learnt.bridge, vits.speaker_embedding(PLAIN)
    source = _stretched(latent, float(bridge.log_duration_ratio(learnt.style, speaker)[0]))
    contour = vits.source_filter_decoder.pitch.f0_contour(source.z[0], speaker[0])[None]
    drawn = [generator(0, BRIDGE_STREAM, 0)]
    *_, clean = bridge.sample(source, learnt.style, speaker, 1.0, steps, drawn, contour)
    return clean


def shifted(vits: FrozenVits, learnt: Learnt, latent: Latent) -> Latent:  # noqa: ARG001
    """By the mean change of training takes, alike in every frame, at their mean duration ratio."""
    longer = _stretched(latent, learnt.log_ratio)
    return Latent(longer.z + learnt.shift, longer.mask)


def _same(vits: FrozenVits, learnt: Learnt, latent: Latent) -> Latent:  # noqa: ARG001
    return latent


def _stretched(latent: Latent, log_ratio: float) -> Latent:
    return latent.stretched(round(latent.z.shape[2] * math.exp(log_ratio)))


Change = Callable[["FrozenVits", Learnt, Latent], Latent]
# Name -> the take that is encoded as the plain voice, what becomes of its latent, and the voice that decodes it.
LATENT_SYSTEMS: Mapping[str, tuple[str, Change, str]] = {
    "bridge between takes": ("plain", bridged, PLAIN),
    "the bridge in one step": ("plain", partial(bridged, steps=1), PLAIN),
    "mean change of the latent": ("plain", shifted, PLAIN),
    IDENTITY: ("plain", _same, PLAIN),
    "the same, decoded as the other voice": ("plain", _same, STYLED),
    "the true take, resynthesised": ("styled", _same, PLAIN),
}


def systems(learnt: Learnt) -> dict[str, Callable[[TakePair], Clip]]:
    """Every system by name: what it makes of a pair."""
    made: dict[str, Callable[[TakePair], Clip]] = {
        name: partial(Said, system=name, learnt=learnt) for name in LATENT_SYSTEMS
    }
    made["WORLD, mean change of the axes"] = lambda pair: WorldEdit(recordings(pair)[0], learnt.axes)
    made["the plain take itself"] = lambda pair: recordings(pair)[0]
    return made


def held_out(corpus: Path, split: Split = "test", count: int = SENTENCES) -> list[TakePair]:
    """Pairs of a split, spread evenly. Raises InputError where the corpus has none."""
    by_plain = {pair.plain: pair for pair in recorded_pairs(corpus, PLAIN, STYLED, split)}
    return [by_plain[utterance] for utterance in sample(list(by_plain), count)]


def human_pair_rows(scores: CachedScores, corpus: Path, bridge: Bridge, takes: Latents,
                    tell: Callable[[int, int], None]) -> list[Row]:  # fmt: skip
    """Rows of every figure for every system, and their differences from the resynthesised plain take. InputError."""
    training, pairs = held_out(corpus, "train", MEASURED), held_out(corpus)
    learnt = learn(bridge, takes, scores, training)
    made = systems(learnt)
    judged = ("frames", "measurements", "moonshine", "speaker")
    clips = [recordings(pair)[1] for pair in pairs] + [clip(pair) for pair in pairs for clip in made.values()]
    scores.compute([ScoreKey(judge, (clip,)) for clip in clips for judge in judged], tell)
    voices = [_mean_voice(scores, [recordings(pair)[take] for pair in training[:EMBEDDED]]) for take in (0, 1)]
    found = {name: [_compared(scores, pair, clip(pair), voices) for pair in pairs] for name, clip in made.items()}
    rows = []
    for key, (figure, unit) in FIGURES.items():
        for name, own in found.items():
            rows.append(Row(TITLE + figure, name, estimate([x[key] for x in own if key in x]), unit))
            if name != IDENTITY:
                paired = [
                    Observation(x[key].value - y[key].value, x[key].sentence, x[key].voice, x[key].weight)
                    for x, y in zip(own, found[IDENTITY], strict=True)
                    if key in x and key in y
                ]
                difference: Unit = "points" if unit == "percent" else unit
                rows.append(Row(TITLE + figure + PAIRED, name, estimate(paired), difference))
    return rows


def _compared(scores: CachedScores, pair: TakePair, clip: Clip, voices: Sequence[np.ndarray]) -> dict[str, Observation]:
    """Each figure of a clip that stands for the true take, by its key; what cannot be measured is absent."""
    truth = recordings(pair)[1]
    wanted, found = np.array(scores.score("frames", truth)), np.array(scores.score("frames", clip))
    own = LATENT_SYSTEMS[clip.system][0] if isinstance(clip, Said) else "plain"
    places = _corresponding(scores.editor.vits, pair, own == "plain", len(found), len(wanted))
    values: dict[str, float] = distances(found[places], wanted)
    values["duration"] = abs(math.log(len(found) / len(wanted)))
    tilts = [scores.measurements(x).tilt_db for x in (clip, truth)]
    if tilts[0] is not None and tilts[1] is not None:
        values["tilt"] = abs(tilts[0] - tilts[1])
    speaker = np.array(scores.score("speaker", clip))
    values["plain_voice"], values["styled_voice"] = (float(speaker @ voice) for voice in voices)
    observed = {key: Observation(value, pair.plain.text, PLAIN) for key, value in values.items()}
    errors, words = word_errors(pair.plain.text, scores.score("moonshine", clip))
    return observed | {"words": Observation(errors, pair.plain.text, PLAIN, weight=words)}


def _corresponding(vits: FrozenVits, pair: TakePair, plain: bool, found: int, wanted: int) -> np.ndarray:
    """Which of `found` frames each of the true take's `wanted` frames corresponds to.

    plain: whether they are of the plain take, evenly stretched, and not of the true one.
    """
    durations = _durations(vits, pair)
    old, new = durations[0 if plain else 1], durations[1]
    moments = same_moments(old * (found / float(old.sum())), new * (wanted / float(new.sum())))
    return moments.round().long().clamp(0, found - 1).numpy()


@lru_cache(maxsize=SENTENCES)
def _durations(vits: FrozenVits, pair: TakePair) -> tuple[Tensor, Tensor]:
    plain, styled = (encode_take(vits, take, PLAIN) for take in (pair.plain, pair.styled))
    return aligned(vits, pair, plain, styled, PLAIN)


def _mean_voice(scores: CachedScores, clips: Sequence[Clip]) -> np.ndarray:
    """Mean speaker embedding [256] of some recordings, unit norm."""
    mean = np.mean([scores.score("speaker", clip) for clip in clips], axis=0)
    return np.asarray(mean / np.linalg.norm(mean))
