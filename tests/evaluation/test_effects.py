"""The rule of success, on measurements made up for it."""

from __future__ import annotations

import dataclasses

import pytest

from latent_edit.axes import AXES
from latent_edit.config import load_styles
from latent_edit.data.styles import Style
from latent_edit.evaluation.effects import (
    BREATH,
    VOICING,
    effects,
    failures,
    judged_styles,
    mean_progress,
    named_effects,
    reference_effects,
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


def changed(prompt: str, factor: float = 1.0, **changes: float | None) -> Measurements:
    """BEFORE with every named axis changed by `factor` times its reference effect; then `changes`."""
    size = {name: reference_effects()[prompt].get(name, 0.0) for name in named_effects(judged_styles()[prompt])}
    by = {name: factor * size.get(name, 0.0) for name in effects(BEFORE, BEFORE)}
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
def test_exactly_the_reference_effect_succeeds(prompt: str) -> None:
    assert failures(prompt, BEFORE, changed(prompt)) == []


@pytest.mark.parametrize("prompt", [prompt for prompt, axes in load_styles().items() if axes])
def test_nothing_changed_or_the_wrong_way_fails_on_every_named_axis(prompt: str) -> None:
    named = named_effects(judged_styles()[prompt])
    assert failures(prompt, BEFORE, BEFORE) == [name for name in effects(BEFORE, BEFORE) if name in named]
    assert set(failures(prompt, BEFORE, changed(prompt, -1.0))) >= set(named)


@pytest.mark.parametrize(("factor", "success"), [(0.45, False), (0.55, True), (1.9, True), (2.1, False)])
def test_half_to_twice_the_reference_is_a_hit(factor: float, success: bool) -> None:
    assert (failures("calm and deep", BEFORE, changed("calm and deep", factor)) == []) is success


@pytest.mark.parametrize(("level", "failed"), [(-23.5, []), (-26.5, []), (-22.0, ["level_db"]), (-28.0, ["level_db"])])
def test_what_is_not_named_stays_within_its_tolerance(level: float, failed: list[str]) -> None:
    assert failures("calm and deep", BEFORE, changed("calm and deep", level_db=level)) == failed


def test_a_whisper_loses_half_of_its_voicing_and_with_it_its_pitch() -> None:
    gone = {"pitch_hz": None, "pitch_range_semitones": None, "tremor_semitones": None, "harmonicity_db": None}
    assert failures("a whisper", BEFORE, changed("a whisper", voiced_share=0.05, **gone)) == []
    assert failures("a whisper", BEFORE, changed("a whisper", voiced_share=0.29)) == []
    assert failures("a whisper", BEFORE, changed("a whisper", voiced_share=0.31)) == [VOICING]


@pytest.mark.parametrize(("harmonicity", "failed"), [(2.5, []), (-2.5, []), (4.0, [BREATH]), (-4.5, [BREATH])])
def test_breath_that_is_not_named_is_judged_as_well(harmonicity: float, failed: list[str]) -> None:
    usual = reference_effects()["calm and deep"][BREATH]
    harmonicity += min(usual, 0.0) if harmonicity < 0 else max(usual, 0.0)
    assert failures("calm and deep", BEFORE, changed("calm and deep", harmonicity_db=harmonicity)) == failed


def test_a_soft_voice_is_judged_by_its_harmonicity_and_keeps_its_voicing_free() -> None:
    assert BREATH in named_effects(Style.named("soft and gentle"))
    assert failures("soft and gentle", BEFORE, changed("soft and gentle", harmonicity_db=0.0)) == [BREATH]
    assert failures("soft and gentle", BEFORE, changed("soft and gentle", voiced_share=0.4)) == []


def test_a_named_axis_that_cannot_be_measured_has_failed() -> None:
    assert failures("excited", BEFORE, changed("excited", pitch_hz=None)) == ["pitch_semitones"]
    assert failures("monotone, like a robot", BEFORE, changed("monotone, like a robot", pitch_hz=None)) == []
    unvoiced = dataclasses.replace(BEFORE, pitch_hz=None)
    assert failures("excited", unvoiced, changed("excited")) == ["pitch_semitones"]


def test_lost_voicing_fails_where_no_breath_was_asked_for() -> None:
    assert failures("excited", BEFORE, changed("excited", voiced_share=0.3)) == [VOICING]


def test_the_mean_progress_is_the_mean_progress_without_pace() -> None:
    assert mean_progress("excited", BEFORE, changed("excited")) == pytest.approx(1.0)
    assert mean_progress("excited", BEFORE, changed("excited", 0.5, duration_seconds=9.0)) == pytest.approx(0.5)
    assert mean_progress("excited", BEFORE, BEFORE) == 0.0
    assert mean_progress("calm and deep", BEFORE, changed("calm and deep", pitch_hz=1.0)) == pytest.approx(1.5)
    assert mean_progress("speak normally", BEFORE, BEFORE) is None


def test_every_prompt_has_sizes_in_the_direction_of_its_style() -> None:
    assert set(reference_effects()) == set(judged_styles())
    for prompt, style in judged_styles().items():
        for name, axis in AXES.items():
            nominal = getattr(style, name)
            lacking = style.breathiness == 1.0 and name in ("pitch_semitones", "range_ratio_log2", "tremor_semitones")
            if abs(nominal) >= axis.floor and name != "breathiness" and not lacking:
                ratio = reference_effects()[prompt][name] / nominal
                assert 0.3 < ratio < 1.2, (prompt, name)


def test_tolerances_are_below_floors() -> None:
    assert all(axis.tolerance < axis.floor for axis in AXES.values())
