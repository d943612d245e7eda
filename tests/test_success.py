"""The success rule, axis by axis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from latent_edit.axes import WHISPER
from latent_edit.measures import Measurements
from latent_edit.success import outcomes, succeeded

BEFORE = Measurements(2.0, 120.0, 4.0, 10.0, -25.0, -10.0, 0.7, 12.0, 0.2)


def verdicts(asked: dict[str, float], after: Measurements, exactly: tuple[str, ...] = ()) -> dict[str, str]:
    return {o.name: o.verdict for o in outcomes(asked, BEFORE, after, exactly)}


def test_nothing_asked_and_nothing_changed() -> None:
    found = outcomes({}, BEFORE, BEFORE)
    assert {o.verdict for o in found} == {"left alone"} and succeeded(found)


def test_named_axes_are_judged_by_half_to_twice_the_size() -> None:
    for change, verdict in ((2.0, "missed"), (4.0, "as asked"), (11.0, "as asked"), (15.0, "missed"), (-7.0, "missed")):
        after = replace(BEFORE, level_db=BEFORE.level_db + change)
        assert verdicts({"level_db": 7.0}, after)["level_db"] == verdict


def test_exact_axes_are_judged_by_their_tolerance() -> None:
    for semitones, verdict in ((2.0, "as asked"), (2.9, "as asked"), (3.5, "missed"), (-2.0, "missed")):
        after = replace(BEFORE, pitch_hz=120.0 * 2 ** (semitones / 12))
        assert verdicts({"pitch_semitones": 2.0}, after, ("pitch_semitones",))["pitch_semitones"] == verdict
    slower = replace(BEFORE, duration_seconds=4.0)
    assert verdicts({"pace_log_ratio": 0.693}, slower, ("pace_log_ratio",))["pace_log_ratio"] == "as asked"


def test_what_is_not_named_has_to_be_left_alone() -> None:
    after = replace(BEFORE, tilt_db=-5.0)
    found = outcomes({}, BEFORE, after)
    assert [o.name for o in found if o.verdict == "moved"] == ["tilt_db"] and not succeeded(found)
    assert verdicts({"tilt_db": 2.5}, replace(BEFORE, tilt_db=-7.5))["tilt_db"] == "left alone"


@pytest.mark.parametrize("breathiness", [1.0, WHISPER])
def test_a_whisper_has_no_pitch(breathiness: float) -> None:
    after = replace(BEFORE, pitch_hz=None, pitch_range_semitones=None, tremor_semitones=None, voiced_share=0.05,
                    harmonicity_db=None, level_db=-33.0)  # fmt: skip
    found = outcomes({"breathiness": breathiness, "level_db": -8.0}, BEFORE, after)
    by = {o.name: o.verdict for o in found}
    assert by["pitch_semitones"] == by["tremor_semitones"] == "no voice"
    assert by["breathiness"] == "as asked" and succeeded(found)
    assert verdicts({"breathiness": breathiness}, BEFORE)["breathiness"] == "missed"


def test_a_named_axis_that_cannot_be_measured_has_not_succeeded() -> None:
    found = outcomes({"pitch_semitones": 4.0}, BEFORE, replace(BEFORE, pitch_hz=None))
    assert {o.name: o.verdict for o in found}["pitch_semitones"] == "not measured" and not succeeded(found)


def test_breath_is_seen_in_the_harmonicity() -> None:
    assert verdicts({"breathiness": 0.5}, replace(BEFORE, harmonicity_db=7.0))["breathiness"] == "as asked"
    assert verdicts({"breathiness": 0.5}, BEFORE)["breathiness"] == "missed"
