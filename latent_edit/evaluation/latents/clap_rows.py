"""Rows on what a CLAP hears: natural variation within a voice, and acted emotion; the paper's suggested check (3).

Beside it what the mean and deviation of log-mel bands say, and what the latents themselves say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from latent_edit.evaluation.cached_scores import STYLE, CachedScores, ScoreKey
from latent_edit.evaluation.clips import Clip, Recording, Sound, sound_of
from latent_edit.evaluation.emotion import KINDS, ActedPair, Kind, fit, fit_changes
from latent_edit.evaluation.latents import probes
from latent_edit.evaluation.latents.latent_clips import SaidAgain
from latent_edit.evaluation.latents.latent_frames import PRIOR_AUDIO, Z_AUDIO, at_rate_of, encode, frames, log_mel
from latent_edit.evaluation.latents.latent_rows import less_mean
from latent_edit.evaluation.rows import Row
from latent_edit.measures import Measurements
from latent_edit.recording import levelled
from latent_edit.types import Waveform

if TYPE_CHECKING:
    from latent_edit.editor import LatentEditor

NATURAL, EMOTION, VOICES = "latents, natural variation: ", "latents, emotion: ", "latents, voices: "
MEL_POOL = "mel bands, mean and deviation"
ACTED_HEARD = "acted emotion"
EMOTIONS = KINDS["functionals"].emotions
REGULARISATION = KINDS["functionals"].regularisation
TOLD = Callable[[int, int], None]


def clap_name(editor: LatentEditor) -> str:
    """The CLAP as a line of a table."""
    return f"CLAP {editor.style_encoder.name}"


def variation(measured: Measurements, phonemes: int) -> dict[str, float | None]:
    """What varies from one recording of a voice to another, on scales on which equal steps are heard as equal."""
    seconds = measured.duration_seconds
    return {
        "median F0": _log2(measured.pitch_hz, 12.0),
        "F0 range": _log2(measured.pitch_range_semitones),
        "level": measured.level_db,
        "tilt": measured.tilt_db,
        "speaking rate": _log2(phonemes / seconds) if seconds else None,
    }


def _log2(value: float | None, factor: float = 1.0) -> float | None:
    return factor * float(np.log2(value)) if value else None


def natural_rows(scores: CachedScores, recordings: Sequence[Recording], tell: TOLD) -> list[Row]:
    """R2 of each measure of unstyled recordings, within a voice, read from a CLAP's embedding and from mel bands."""
    editor = scores.editor
    scores.compute([ScoreKey(judge, (r,)) for r in recordings for judge in (STYLE, "measurements")], tell)
    features = {
        clap_name(editor): np.array([scores.score(STYLE, r) for r in recordings]),
        MEL_POOL: np.array([mel_pool(editor, r.render(editor)) for r in recordings]),
    }
    measured = [variation(scores.measurements(r), editor.vits.phonemize(r.text).count) for r in recordings]
    rows = []
    for what in measured[0]:
        values = [found[what] for found in measured]
        known = np.array([value is not None for value in values])
        own = [r for r, kept in zip(recordings, known, strict=True) if kept]
        clusters = [(r.text, r.voice) for r in own]
        sentences, voices = (np.array(labels) for labels in zip(*clusters, strict=True))
        targets = less_mean(np.array([v for v in values if v is not None]), voices)[:, None]
        for name, feature in features.items():
            read = probes.read_values(less_mean(feature[known], voices), targets, sentences)
            rows.append(Row(NATURAL + what, name, probes.explained(targets, read, clusters), "percent"))
    return rows


def mel_pool(editor: LatentEditor, sound: Sound) -> np.ndarray:
    """Mean and deviation over time of log-mel bands: [2 * bands]."""
    bands = log_mel(editor.vits, at_rate_of(editor.vits, sound))
    return np.concatenate([bands.mean(axis=0), bands.std(axis=0)])


def emotion_rows(scores: CachedScores, pairs: Sequence[ActedPair], tell: TOLD) -> list[Row]:
    """Acted emotion as each representation tells it, cross-fitted over actors: of the change from a neutral take."""
    editor = scores.editor
    pairs = [pair for pair in pairs if pair.emotion in EMOTIONS]
    clips = list(dict.fromkeys(clip for pair in pairs for clip in (pair.take, *pair.neutral)))
    features: dict[str, dict[Clip, np.ndarray]] = {}
    for place, clip in enumerate(clips):
        for name, values in _represented(editor, clip).items():
            features.setdefault(name, {})[clip] = values
        tell(place + 1, len(clips))
    rows = [_emotion_row(name, pairs, found) for name, found in features.items()]
    heard = fit(scores, pairs, KINDS["functionals"], tell)
    return [*rows, Row(EMOTION + ACTED_HEARD, "functionals of the recording", heard.accuracy, "percent")]


def said_again_rows(scores: CachedScores, pairs: Sequence[ActedPair], voices: Sequence[str], tell: TOLD) -> list[Row]:
    """Whether acted emotion survives encoder and frozen decoder under a speaker id: read from functionals again."""
    rows = []
    for voice in voices:
        again = [
            ActedPair(SaidAgain(x.take, voice), tuple(SaidAgain(n, voice) for n in x.neutral), x.emotion) for x in pairs
        ]
        heard = fit(scores, again, KINDS["functionals"], tell)
        rows.append(Row(EMOTION + ACTED_HEARD, f"functionals, resynthesised as {voice}", heard.accuracy, "percent"))
    return rows


def _emotion_row(name: str, pairs: Sequence[ActedPair], features: Mapping[Clip, np.ndarray]) -> Row:
    changes = [
        (pair, features[pair.take] - np.mean([features[clip] for clip in pair.neutral], axis=0)) for pair in pairs
    ]
    heard = fit_changes(changes, Kind(name, EMOTIONS, REGULARISATION))
    return Row(EMOTION + ACTED_HEARD, name, heard.accuracy, "percent")


@torch.no_grad()
def _represented(editor: LatentEditor, clip: Clip) -> dict[str, np.ndarray]:
    """A take at the loudness of the voices (its level in the corpus says nothing); latents as the first voice."""
    vits, voice = editor.vits, editor.voices[0]
    sound = at_rate_of(vits, clip.render(editor))
    waveform = levelled(Waveform.of(torch.from_numpy(sound.samples), sound.rate))
    sound = sound_of(waveform)
    latent = encode(vits, sound, voice)
    return {
        clap_name(editor): editor.style_encoder.embed_audio(waveform)[0].numpy(),
        MEL_POOL: mel_pool(editor, sound),
        f"{Z_AUDIO}, mean frame": frames(latent).mean(axis=0),
        f"{PRIOR_AUDIO}, mean frame": frames(vits.to_prior(latent, voice)).mean(axis=0),
    }


def voice_rows(scores: CachedScores, recordings: Sequence[Recording]) -> list[Row]:
    """What tells the voices apart: medians of what is measured over each voice's recordings, as means per recording."""
    from latent_edit.evaluation.synthesis_quality import mean

    figures: dict[str, Callable[[Recording, Measurements], float | None]] = {
        "median F0": lambda _, m: m.pitch_hz,
        "F0 range": lambda _, m: m.pitch_range_semitones,
        "phonemes a second": lambda r, m: (
            scores.editor.vits.phonemize(r.text).count / m.duration_seconds if m.duration_seconds else None
        ),
        "tilt": lambda _, m: m.tilt_db,
        "harmonicity": lambda _, m: m.harmonicity_db,
    }
    units = ("hertz", "semitones", "rating", "decibels", "decibels")
    rows = []
    for (what, figure), unit in zip(figures.items(), units, strict=True):
        for voice in dict.fromkeys(r.voice for r in recordings):
            own = [r for r in recordings if r.voice == voice]
            found = mean((r, figure(r, scores.measurements(r))) for r in own)
            rows.append(Row(VOICES + what, voice, found, unit))  # type: ignore[arg-type]
    return rows
