"""Styles as values: presets, jitter, random draws."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from latent_edit.axes import AXES
from latent_edit.config import preset_prompts
from latent_edit.data.styles import MAX_COMBINED_AXES, Style, jitter, random_style
from latent_edit.errors import InputError

PRESETS = (
    "a whisper",
    "an angry shout",
    "sad and slow",
    "excited",
    "calm and deep",
    "a nervous, trembling voice",
    "monotone, like a robot",
    "reading to a small child",
    "a tired old voice",
    "soft and gentle",
    "fast and urgent",
    "speak normally",
)


def test_axes_are_the_fields_of_a_style():
    assert tuple(AXES) == tuple(asdict(Style()))
    assert Style(level_db=-3.0, tremor_semitones=1.0).as_array().tolist() == [0, 0, 0, -3, 0, 0, 1]


def test_the_twelve_presets_are_there_and_distinct():
    assert tuple(preset_prompts()) == PRESETS
    assert len({Style.named(prompt) for prompt in PRESETS}) == len(PRESETS)
    assert Style.named("speak normally") == Style()


@pytest.mark.parametrize("prompt", PRESETS[:-1])
def test_what_a_preset_names_is_above_its_floor_and_inside_the_axis(prompt):
    style = Style.named(prompt)
    assert style.named_axes
    for name in style.named_axes:
        assert abs(getattr(style, name)) >= AXES[name].floor > AXES[name].tolerance
        assert AXES[name].minimum <= getattr(style, name) <= AXES[name].maximum


def test_an_unknown_preset_is_named():
    with pytest.raises(InputError, match=r"'a mumble'.*a whisper"):
        Style.named("a mumble")


def test_jitter_moves_what_is_named_and_only_that():
    style, generator = Style.named("an angry shout"), np.random.default_rng(0)
    neighbours = [jitter(style, generator) for _ in range(200)]
    for name, value in asdict(style).items():
        drawn = np.array([getattr(neighbour, name) for neighbour in neighbours])
        if value == 0:
            assert not drawn.any()
        else:
            assert drawn.std() > 0.05 * abs(value)
            assert np.all((drawn / value >= 0.75) & (drawn / value <= 1.25))
    assert jitter(Style.named("a whisper"), generator).breathiness == 1.0


def test_random_styles_cover_identity_presets_and_combinations():
    generator = np.random.default_rng(1)
    styles = [random_style(generator) for _ in range(2000)]
    counts = np.bincount([len(style.named_axes) for style in styles], minlength=8)
    assert 0.10 < counts[0] / len(styles) < 0.20
    assert counts[1 : MAX_COMBINED_AXES + 1].min() > 100
    values = np.array([style.as_array() for style in styles])
    for column, axis in zip(values.T, AXES.values(), strict=True):
        assert axis.minimum - 1e-6 <= column.min() and column.max() <= axis.maximum + 1e-6
        assert column.max() > 0.8 * axis.maximum
        assert axis.minimum == 0 or column.min() < 0.8 * axis.minimum
        assert np.abs(column[column != 0]).min() >= axis.floor / 2 - 1e-6  # never too small to hear


def test_random_styles_repeat_with_the_seed():
    draws = [[random_style(np.random.default_rng(seed)) for seed in range(20)] for _ in range(2)]
    assert draws[0] == draws[1]
