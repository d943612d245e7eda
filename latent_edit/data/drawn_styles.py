"""Which styles a corpus is rendered in, what they are called, and how far a recording is from its voice's medians."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from latent_edit.axes import AXES
from latent_edit.config import StrictModel, preset_prompts
from latent_edit.data.captions import describe, preset_caption, sample_pair
from latent_edit.data.corpora import Utterance
from latent_edit.data.splits import split_of
from latent_edit.data.styles import Style, jitter, random_style, style_of
from latent_edit.measures import Measurements
from latent_edit.prompts.lexicon import MAXIMA, MINIMA, CaptionSplit

NEUTRAL_PRESET = "speak normally"


class AugmentationConfig(StrictModel):
    """What is rendered. Shares are of the styled items; the rest comes from `captions.sample_pair`."""

    sampling_rate: int = 16_000
    styled_per_utterance: int = 3
    preset_share: float = 0.35
    random_share: float = 0.2
    utterances_per_shard: int = 64
    seed: int = 0


@dataclass(frozen=True)
class AugmentationCaption:
    """text: what a person might type; axes: the style it stands for, [7] in the order of `AXES`."""

    text: str
    axes: tuple[float, ...]


@dataclass(frozen=True)
class DrawnStyle:
    """A style to render. preset: the page's preset that it is, with jitter; captions: what it may be called."""

    style: Style
    preset: str | None
    captions: tuple[AugmentationCaption, ...]


def draw_style(generator: np.random.Generator, words: CaptionSplit, config: AugmentationConfig) -> DrawnStyle:
    """A preset with jitter, axes at random, or what a random caption means; two captions of it."""
    kind = generator.random()
    if kind < config.preset_share:
        presets = [prompt for prompt in preset_prompts() if prompt != NEUTRAL_PRESET]
        prompt = presets[int(generator.integers(len(presets)))]
        named = Style.named(prompt)
        texts = [preset_caption(prompt, generator, words), describe(named, generator, words)]
        return DrawnStyle(jitter(named, generator), prompt, tuple(_meant(text, named) for text in texts))
    if kind < config.preset_share + config.random_share:
        style = random_style(generator)
        texts = [describe(style, generator, words) for _ in range(2)]
    else:
        style, text = sample_pair(generator, words)
        texts = [text, describe(style, generator, words)]
    return DrawnStyle(style, None, tuple(_meant(text, style) for text in texts))


def natural_captions(
    deviation: np.ndarray, generator: np.random.Generator, words: CaptionSplit
) -> tuple[AugmentationCaption, ...]:
    """A natural recording is normal speech, and also a little faster, higher or louder than the voice's others."""
    natural = style_of(deviation)
    normal = preset_caption(NEUTRAL_PRESET, generator, words)
    return _meant(normal, Style()), _meant(describe(natural, generator, words), natural)


def _meant(text: str, style: Style) -> AugmentationCaption:
    return AugmentationCaption(text, rounded(style.as_array()))


def rounded(axes: np.ndarray) -> tuple[float, ...]:
    """Axis values for a table, four decimals."""
    return tuple(round(float(value), 4) for value in axes)


def natural_deviations(utterances: Sequence[Utterance], measured: Sequence[Measurements]) -> np.ndarray:
    """How far each recording is from the medians of its voice, on the style axes: [n, 7].

    Where something was not measured, and on axes that are no natural variation (breathiness, tremor), it is zero.
    """
    values = np.full((len(measured), len(AXES)), np.nan)
    columns = {name: column for column, name in enumerate(AXES)}
    for row, m in enumerate(measured):
        values[row, columns["pitch_semitones"]] = 12 * _log2(m.pitch_hz)
        values[row, columns["range_ratio_log2"]] = _log2(m.pitch_range_semitones)
        values[row, columns["pace_log_ratio"]] = -np.log(2) * _log2(m.pace_phonemes_per_second)
        values[row, columns["level_db"]] = np.nan if m.level_db is None else m.level_db
        values[row, columns["tilt_db"]] = np.nan if m.tilt_db is None else m.tilt_db
    speakers = np.array([utterance.speaker for utterance in utterances])
    training = np.array([split_of(utterance.text) == "train" for utterance in utterances])
    for speaker in set(speakers):
        own = speakers == speaker
        known = values[own & training] if (own & training).any() else values[own]
        with np.errstate(all="ignore"):
            medians = np.array([np.nanmedian(column) if np.isfinite(column).any() else 0.0 for column in known.T])
        values[own] -= medians
    return np.clip(np.nan_to_num(values), MINIMA, MAXIMA)


def _log2(value: float | None) -> float:
    return float(np.log2(value)) if value else float("nan")
