"""The rule of success, on measurements made up for it."""

from __future__ import annotations

import dataclasses

import pytest

from latent_edit.axes import AXES
from latent_edit.config import load_styles
from latent_edit.data.styles import Style
from latent_edit.evaluation.moves import (
    BREATH,
    VOICING,
    attribute_move,
    failures,
    free_prompts,
    judged_styles,
    measured_sizes,
    moves,
    named_axes,
)
from latent_edit.measures import Measurements

BEFORE = Measurements(
    duration_seconds=2.0,
    pitch_hz=150.0,
    pitch_range_semitones=5.0,
    level_db=-25.0,
    tilt_db=-10.0,
    voiced_share=0.6,
    harmonicity_db=0.0,
    tremor_semitones=0.3,
)


def moved(prompt: str, factor: float = 1.0, **changes: float | None) -> Measurements:
    """BEFORE with every named axis moved by `factor` times its fixed size and the rest as it was; then `changes`."""
    size = {name: measured_sizes()[prompt].get(name, 0.0) for name in named_axes(judged_styles()[prompt])}
    by = {name: factor * size.get(name, 0.0) for name in moves(BEFORE, BEFORE)}
    after = Measurements(
        duration_seconds=2.0 * 2.718281828 ** by["pace_log_ratio"],
        pitch_hz=150.0 * 2 ** (by["pitch_semitones"] / 12),
        pitch_range_semitones=5.0 * 2 ** by["range_ratio_log2"],
        level_db=-25.0 + by["level_db"],
        tilt_db=-10.0 + by["tilt_db"],
        voiced_share=max(0.0, 0.6 + by[VOICING]),
        harmonicity_db=by[BREATH],
        tremor_semitones=0.3 + by["tremor_semitones"],
    )
    return dataclasses.replace(after, **changes)


@pytest.mark.parametrize("prompt", judged_styles())
def test_exactly_the_fixed_size_succeeds(prompt: str) -> None:
    assert failures(prompt, BEFORE, moved(prompt)) == []


@pytest.mark.parametrize("prompt", [prompt for prompt, axes in load_styles().items() if axes])
def test_nothing_moved_or_the_wrong_way_fails_on_every_named_axis(prompt: str) -> None:
    named = named_axes(judged_styles()[prompt])
    assert failures(prompt, BEFORE, BEFORE) == [name for name in moves(BEFORE, BEFORE) if name in named]
    assert set(failures(prompt, BEFORE, moved(prompt, -1.0))) >= set(named)


@pytest.mark.parametrize(("factor", "success"), [(0.45, False), (0.55, True), (1.9, True), (2.1, False)])
def test_half_to_twice_the_size_is_a_hit(factor: float, success: bool) -> None:
    assert (failures("calm and deep", BEFORE, moved("calm and deep", factor)) == []) is success


@pytest.mark.parametrize(("level", "failed"), [(-23.5, []), (-26.5, []), (-22.0, ["level_db"]), (-28.0, ["level_db"])])
def test_what_is_not_named_stays_within_its_tolerance(level: float, failed: list[str]) -> None:
    assert failures("calm and deep", BEFORE, moved("calm and deep", level_db=level)) == failed


def test_a_whisper_loses_half_of_its_voicing_and_with_it_its_pitch() -> None:
    gone = {"pitch_hz": None, "pitch_range_semitones": None, "tremor_semitones": None, "harmonicity_db": None}
    assert failures("a whisper", BEFORE, moved("a whisper", voiced_share=0.05, **gone)) == []
    assert failures("a whisper", BEFORE, moved("a whisper", voiced_share=0.29)) == []
    assert failures("a whisper", BEFORE, moved("a whisper", voiced_share=0.31)) == [VOICING]


def test_a_soft_voice_is_judged_by_its_harmonicity_and_keeps_its_voicing_free() -> None:
    assert BREATH in named_axes(Style.named("soft and gentle"))
    assert failures("soft and gentle", BEFORE, moved("soft and gentle", harmonicity_db=0.0)) == [BREATH]
    assert failures("soft and gentle", BEFORE, moved("soft and gentle", voiced_share=0.4)) == []


def test_a_named_axis_that_cannot_be_measured_has_not_landed() -> None:
    assert failures("excited", BEFORE, moved("excited", pitch_hz=None)) == ["pitch_semitones"]
    assert failures("monotone, like a robot", BEFORE, moved("monotone, like a robot", pitch_hz=None)) == []
    unvoiced = dataclasses.replace(BEFORE, pitch_hz=None)
    assert failures("excited", unvoiced, moved("excited")) == ["pitch_semitones"]


def test_lost_voicing_fails_where_no_breath_was_asked_for() -> None:
    assert failures("excited", BEFORE, moved("excited", voiced_share=0.3)) == [VOICING]


def test_the_attribute_move_is_the_mean_progress_without_pace() -> None:
    assert attribute_move("excited", BEFORE, moved("excited")) == pytest.approx(1.0)
    assert attribute_move("excited", BEFORE, moved("excited", 0.5, duration_seconds=9.0)) == pytest.approx(0.5)
    assert attribute_move("excited", BEFORE, BEFORE) == 0.0
    assert attribute_move("calm and deep", BEFORE, moved("calm and deep", pitch_hz=1.0)) == pytest.approx(1.5)
    assert attribute_move("speak normally", BEFORE, BEFORE) is None


def test_every_prompt_has_sizes_in_the_direction_of_its_style() -> None:
    assert set(measured_sizes()) == set(load_styles()) | set(free_prompts())
    for prompt, style in judged_styles().items():
        for name, axis in AXES.items():
            nominal = getattr(style, name)
            lacking = style.breathiness == 1.0 and name in ("pitch_semitones", "range_ratio_log2", "tremor_semitones")
            if abs(nominal) >= axis.floor and name != "breathiness" and not lacking:
                ratio = measured_sizes()[prompt][name] / nominal
                assert 0.3 < ratio < 1.2, (prompt, name)


def test_tolerances_are_below_floors() -> None:
    assert all(axis.tolerance < axis.floor for axis in AXES.values())
