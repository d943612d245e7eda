"""How far F0 moves in a reading is held against the recording of the same sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from latent_edit.evaluation.clips import Clip, Recording
from latent_edit.evaluation.plan import QUICK, Plan
from latent_edit.evaluation.speech_rows import intonation_rows
from latent_edit.measures import Measurements

RECORDED = tuple(Recording(Path(f"{text}.wav"), "anna", text) for text in ("one", "two", "three"))


class Ears:
    """Recordings have a range of 7 semitones and readings 4; "two" has no F0 where it is read."""

    def measured(self, clip: Clip) -> Measurements:
        real = isinstance(clip, Recording)
        found = 7.0 if real else (None if clip.text == "two" else 4.0)
        return Measurements(1.0, 120.0, found, 10.0, -20.0, -10.0, 0.8, 5.0, 0.1)


def test_a_flat_reading_is_seen_as_flat() -> None:
    plan = Plan(("anna",), QUICK, {"anna": RECORDED[:1]}, {}, {})
    assert intonation_rows(Ears(), plan)[0].estimate.value == pytest.approx(-300)  # type: ignore[arg-type]


def test_what_has_no_pitch_does_not_count() -> None:
    plan = Plan(("anna",), replace(QUICK, fidelity=3), {"anna": RECORDED}, {}, {})
    (row,) = intonation_rows(Ears(), plan)  # type: ignore[arg-type]
    assert row.estimate.value == pytest.approx(-300) and row.cells()[2] == "-300 cents"
    assert row.beside == "text to speech 4.0 semitones, real 7.0"
