"""Rows on what the latents hold: Z_text against Z_audio, what probes read from frames, and shares of the variance.

The paper's suggested check (1) (arXiv 2311.10804, conclusion), on held-out recordings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from latent_edit.axes import AXES
from latent_edit.evaluation.latents import probes
from latent_edit.evaluation.latents.latent_frames import (
    MEL,
    OF_TEXT,
    PRIOR_AUDIO,
    SPACES,
    Z_AUDIO,
    Z_TEXT,
    Prosody,
    Spoken,
    classes,
    stretched,
    voiced_by_class,
)
from latent_edit.evaluation.latents.styled_latents import NAMED, NEUTRAL, Rendered
from latent_edit.evaluation.rows import Row, Unit
from latent_edit.evaluation.statistics import Estimate

ALIGNMENT, FRAMES, SHARES, STYLES = (
    "latents, alignment: ",
    "latents, frames: ",
    "latents, shares: ",
    "latents, styles: ",
)
LEADING = 10  # canonical correlations beside the mean of all: most channels carry next to nothing
ON_PATH, STRETCHED, BY_INDEX, OTHER = "MAS path", "stretched alike", "by index", "another sentence"
SHARED = 0.5  # canonical correlation from which on a direction counts as shared


@dataclass(frozen=True)
class Pairing:
    """How frames of Z_text are put beside those of Z_audio. frames: of each, and the symbols of the text's, [T]."""

    name: str
    frames: Callable[[Spoken, Spoken], tuple[np.ndarray, np.ndarray, np.ndarray]]


def _by_index(own: Spoken, _: Spoken) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    length = min(len(own), len(own.free))
    return own.free[:length], own.spaces[Z_AUDIO][:length], own.free_phonemes[:length]


def _stretched(own: Spoken, other: Spoken) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    places = stretched(len(other.free), len(own))
    return other.free[places], own.spaces[Z_AUDIO], other.free_phonemes[places]


PAIRINGS = (
    Pairing(ON_PATH, lambda own, _: (own.spaces[Z_TEXT], own.spaces[Z_AUDIO], own.phonemes)),
    Pairing(STRETCHED, lambda own, _: _stretched(own, own)),
    Pairing(BY_INDEX, _by_index),
    Pairing(OTHER, _stretched),
)


def alignment_rows(recordings: Sequence[Spoken], rendered: Sequence[Rendered]) -> list[Row]:
    """Z_text against Z_audio: paired in four ways, in each voice, and in each of a few styles."""
    rows: list[Row] = []
    for pairing in PAIRINGS:
        rows += _pairing_rows(pairing, recordings)
    voices = dict.fromkeys(spoken.recording.voice for spoken in recordings)
    for voice in voices:
        own = [spoken for spoken in recordings if spoken.recording.voice == voice]
        frames = [(x.spaces[Z_TEXT], x.spaces[Z_AUDIO]) for x in own]
        rows += _likeness(f"{ON_PATH}, {voice}", frames, [x.cluster for x in own])
    for name in (NEUTRAL, *NAMED):
        styled = [item for item in rendered if item.name == name]
        frames = [(x.text, x.spaces[Z_AUDIO]) for x in styled]
        rows += _likeness(f"{ON_PATH}, {name}", frames, [x.spoken.cluster for x in styled])
    return rows


def _pairing_rows(pairing: Pairing, recordings: Sequence[Spoken]) -> list[Row]:
    """How alike the frames are that a pairing puts together, and whether the same is spoken in them."""
    voices = [x.recording.voice for x in recordings]
    following = [next_of(voices, place) for place in range(len(recordings))]
    paired = [pairing.frames(x, recordings[other]) for x, other in zip(recordings, following, strict=True)]
    clusters = [x.cluster for x in recordings]
    rows = _likeness(pairing.name, [(text, audio) for text, audio, _ in paired], clusters)
    kept = [len(symbols) for _, _, symbols in paired]
    same = [symbols == x.phonemes[:n] for (_, _, symbols), x, n in zip(paired, recordings, kept, strict=True)]
    voiced = [
        voiced_by_class(symbols) == (x.recorded.f0[:n] > 0)
        for (_, _, symbols), x, n in zip(paired, recordings, kept, strict=True)
    ]
    spread = expand_clusters(clusters, kept)
    for what, hits in (("same phoneme as on the MAS path", same), ("voiced as the recording (Praat)", voiced)):
        found = np.concatenate(hits)
        rows.append(Row(ALIGNMENT + what, pairing.name, probes.share(found, spread), "percent"))
    return rows


def next_of(voices: Sequence[str], place: int) -> int:
    """The next item of the same voice, from the first again after the last."""
    own = [other for other, voice in enumerate(voices) if voice == voices[place]]
    return own[(own.index(place) + 1) % len(own)]


def _likeness(
    of: str, frames: Sequence[tuple[np.ndarray, np.ndarray]], clusters: Sequence[tuple[str, str]]
) -> list[Row]:
    text, audio = (np.concatenate(side) for side in zip(*frames, strict=True))
    spread = expand_clusters(clusters, [len(x) for x, _ in frames])
    every, leading, each = probes.canonical_correlation(text, audio, spread, LEADING)
    shared, beside = Estimate(float((each > SHARED).sum())), f"{len(each)} channels; {len(frames)} recordings"
    return [
        Row(f"{ALIGNMENT}CCA, mean of all", of, every, "cosine", beside=beside),
        Row(f"{ALIGNMENT}CCA, first {LEADING}", of, leading, "cosine", beside=beside),
        Row(f"{ALIGNMENT}directions above {SHARED}", of, shared, "count", beside=beside),
        Row(f"{ALIGNMENT}linear CKA", of, probes.linear_cka(text, audio, spread), "cosine"),
    ]


def expand_clusters(clusters: Sequence[tuple[str, str]], lengths: Sequence[int]) -> list[tuple[str, str]]:
    """The cluster of each frame of items of these lengths."""
    return [cluster for cluster, length in zip(clusters, lengths, strict=True) for _ in range(length)]


def frame_rows(recordings: Sequence[Spoken]) -> list[Row]:
    """What linear probes read from single frames of each space."""
    clusters = expand_clusters([x.cluster for x in recordings], [len(x) for x in recordings])
    sentences, voices = (np.array(labels) for labels in zip(*clusters, strict=True))
    phonemes = classes(np.concatenate([x.phonemes for x in recordings]))
    rows = []
    for space in SPACES:
        frames = np.concatenate([x.spaces[space] for x in recordings])
        spoken = joined_prosody(recordings, space)
        voiced = spoken.f0 > 0
        for what, labels in (("phoneme class", phonemes), ("speaker", voices), ("voicing", voiced)):
            read = probes.read_classes(frames, labels, sentences)
            rows.append(Row(FRAMES + what, space, probes.balanced_accuracy(labels, read, clusters), "percent"))
        semitones = 12 * np.log2(np.maximum(spoken.f0, 1.0))
        own = [cluster for cluster, kept in zip(clusters, voiced, strict=True) if kept]
        level = less_mean(spoken.level_db, voices)[:, None]
        f0 = less_mean(semitones[voiced], voices[voiced])[:, None]
        read = probes.read_values(frames[voiced], f0, sentences[voiced])
        rows.append(Row(f"{FRAMES}F0", space, probes.explained(f0, read, own), "percent"))
        read = probes.read_values(frames, level, sentences)
        rows.append(Row(f"{FRAMES}level", space, probes.explained(level, read, clusters), "percent"))
    return rows


def joined_prosody(recordings: Sequence[Spoken], space: str) -> Prosody:
    """What is heard in all frames of a space: of the recordings, or of what is synthesised from the text."""
    own = [x.synthesised if space in OF_TEXT else x.recorded for x in recordings]
    return Prosody(np.concatenate([x.f0 for x in own]), np.concatenate([x.level_db for x in own]))


def less_mean(values: np.ndarray, voices: np.ndarray) -> np.ndarray:
    """Values [N] or [N, K] less the mean of their voice [N], so that whose voice it is explains nothing."""
    found = values.astype(float)
    for voice in np.unique(voices):
        found[voices == voice] -= found[voices == voice].mean(axis=0)
    return found


def share_rows(recordings: Sequence[Spoken]) -> list[Row]:
    """How much of the variance of latents is content, speaker and prosody."""
    clusters = expand_clusters([x.cluster for x in recordings], [len(x) for x in recordings])
    speakers = one_hot(np.array([voice for _, voice in clusters]))
    content = np.concatenate([_with_neighbours(x.phonemes) for x in recordings])
    factors = {"phoneme": np.concatenate([one_hot(column) for column in content.T], axis=1), "speaker": speakers}
    rows = []
    for space in SPACES:
        spoken = joined_prosody(recordings, space)
        voiced = spoken.f0 > 0
        f0 = np.where(voiced, 12 * np.log2(np.maximum(spoken.f0, 1.0)), 0.0)
        f0[voiced] -= f0[voiced].mean()
        prosody = np.stack([f0, voiced, spoken.level_db], axis=1)
        frames = np.concatenate([x.spaces[space] for x in recordings])
        found = probes.variance_shares(frames, {**factors, "F0, level, voicing": prosody}, clusters)
        rows += [Row(SHARES + name, space, share, "percent") for name, share in found.items()]
    return rows


def _with_neighbours(symbols: np.ndarray) -> np.ndarray:
    """Of each frame the phoneme before, its own and the one after: [T, 3]."""
    starts = np.flatnonzero(np.concatenate([[True], symbols[1:] != symbols[:-1]]))
    own = np.repeat(np.arange(len(starts)), np.diff([*starts, len(symbols)]))
    runs = symbols[starts]
    before, after = np.concatenate([runs[:1], runs[:-1]]), np.concatenate([runs[1:], runs[-1:]])
    return np.stack([before[own], runs[own], after[own]], axis=1)


def one_hot(labels: np.ndarray) -> np.ndarray:
    """[N] -> [N, classes]."""
    names, place = np.unique(labels, return_inverse=True)
    hot: np.ndarray = np.eye(len(names))[place]
    return hot


def style_rows(rendered: Sequence[Rendered]) -> list[Row]:
    """What the mean frame of a recording says about the style in which WORLD renders it."""
    drawn = [item for item in rendered if not item.name]
    clusters = [item.spoken.cluster for item in drawn]
    sentences = np.array([sentence for sentence, _ in clusters])
    axes = np.array([item.style.as_array() for item in drawn], dtype=float)
    unit: Unit = "percent"
    rows = []
    for space in (MEL, Z_AUDIO, PRIOR_AUDIO):
        means = np.array([item.means[space] for item in drawn])
        read = probes.read_values(means, axes, sentences)
        for column, axis in enumerate(AXES.values()):
            one = slice(column, column + 1)
            found = probes.explained(axes[:, one], read[:, one], clusters)
            rows.append(Row(STYLES + axis.title.lower(), space, found, unit))
    return rows
