"""The success rule, axis by axis."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from latent_edit.axes import WHISPER
from latent_edit.measures import Measurements
from latent_edit.prompts.reader import read_prompt
from latent_edit.request import EditRequest
from latent_edit.success import Judgement, asked_of, judge, outcomes, succeeded

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


def judged(after: Measurements, prompt: str = "loud", **given: Any) -> Judgement:
    request = EditRequest("Hello.", "anna", prompt, **given)
    return judge(request, read_prompt(prompt).corrected(request.axes), BEFORE, after)


def verdict_on(name: str, judgement: Judgement) -> str:
    return next(outcome.verdict for outcome in judgement.axes if outcome.name == name)


def test_what_is_asked_of_an_edit_is_the_style_times_strength() -> None:
    loud = read_prompt("loud")
    size = loud.value("level_db")
    request = EditRequest("Hello.", "anna", "loud", strength=0.4)
    assert asked_of(request, loud)["level_db"] == pytest.approx(0.4 * size)
    assert asked_of(replace(request, strength=1.5), loud)["level_db"] == pytest.approx(1.5 * size)
    assert asked_of(request, loud.corrected({"pitch_semitones": 4.0}))["pitch_semitones"] == pytest.approx(1.6)
    assert not any(asked_of(replace(request, guidance=0.0), loud).values())
    assert asked_of(replace(request, pace=2.0, guidance=0.0), loud)["pace_log_ratio"] == pytest.approx(math.log(2))
    assert asked_of(replace(request, strength=1.5), read_prompt("a whisper"))["breathiness"] == 1.0


@pytest.mark.parametrize("strength", [0.1, 0.4, 0.7, 1.0, 1.5])
def test_an_edit_of_any_strength_is_judged_by_what_that_strength_asks_for(strength: float) -> None:
    asked = asked_of(EditRequest("Hello.", "anna", "loud", strength=strength), read_prompt("loud"))
    after = replace(BEFORE, level_db=BEFORE.level_db + asked["level_db"], tilt_db=BEFORE.tilt_db + asked["tilt_db"])
    found = judged(after, strength=strength)
    assert verdict_on("level_db", found) == "as asked"
    assert found.sentence == "As asked, and the rest left alone."


@pytest.mark.parametrize("strength", [0.4, 1.0])
def test_nothing_heard_of_what_is_named_is_missed_at_a_small_strength_too(strength: float) -> None:
    found = judged(BEFORE, strength=strength)
    assert verdict_on("level_db", found) == "missed" and found.sentence == "Not all as asked."


def test_breath_at_a_small_strength_is_judged_by_the_harmonicity() -> None:
    for fall, verdict in ((2.5, "as asked"), (0.0, "missed"), (9.0, "missed")):
        after = replace(BEFORE, harmonicity_db=BEFORE.harmonicity_db - fall)
        found = judged(after, "neutral", strength=0.5, axes={"breathiness": 0.5})
        assert verdict_on("breathiness", found) == verdict


def test_at_guidance_or_strength_zero_nothing_is_asked_for() -> None:
    for given in ({"guidance": 0.0}, {"strength": 0.0}, {"guidance": 0.0, "axes": {"pitch_semitones": 4.0}}):
        found = judged(BEFORE, **given)
        assert {o.verdict for o in found.axes} == {"left alone"} and found.sentence == "Nothing was asked for."
    louder = replace(BEFORE, level_db=BEFORE.level_db + 5.0)
    assert judged(louder, guidance=0.0).sentence == "Nothing was asked for, but not all was left alone."


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_pace_set_by_hand_is_asked_as_it_is(strength: float) -> None:
    slower = replace(BEFORE, duration_seconds=4.0)
    found = judged(slower, "zqxv", pace=2.0, strength=strength)
    assert verdict_on("pace_log_ratio", found) == "as asked" and found.sentence == "As asked, and the rest left alone."
    assert verdict_on("pace_log_ratio", judged(BEFORE, "zqxv", pace=2.0)) == "missed"


def test_a_whisper_of_a_smaller_strength_is_one_when_no_voice_is_left() -> None:
    silent = replace(BEFORE, pitch_hz=None, pitch_range_semitones=None, harmonicity_db=None, tremor_semitones=None)
    whispered = replace(silent, voiced_share=0.0)
    found = judged(whispered, "a whisper", strength=0.7, axes={"level_db": 0.0})
    assert verdict_on("breathiness", found) == "as asked" and verdict_on("pitch_semitones", found) == "no voice"
    assert found.sentence == "As asked, and the rest left alone."
    breathier = replace(BEFORE, harmonicity_db=BEFORE.harmonicity_db - 4.0)
    assert verdict_on("breathiness", judged(breathier, "a whisper", strength=0.5)) == "as asked"
    assert verdict_on("breathiness", judged(whispered, "breathy")) == "not measured"
