"""Words, how far F0 moves, and whose voice it is are held against the recording of the same sentence."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest

from latent_edit.evaluation.clips import Clip, PlainSynthesis, Recording, Resynthesis
from latent_edit.evaluation.plan import QUICK, Plan
from latent_edit.evaluation.synthesis_quality import identity_rows, intonation_rows, word_rows
from latent_edit.measures import Measurements

RECORDED = tuple(Recording(Path(f"{text}.wav"), "anna", text) for text in ("one", "two", "three"))


class Ears:
    """Recordings have a range of 7 semitones and readings 4; "two" has no F0 where it is read, nor words in a copy.

    A copy by the encoder alone loses the words of "three" as well.
    """

    def score(self, judge: str, clip: Clip) -> str:
        assert judge == "pocketsphinx"
        lost = ["two"] if isinstance(clip, Resynthesis) else []
        if isinstance(clip, Resynthesis) and not clip.inverted:
            lost.append("three")
        return "" if clip.text in lost else clip.text

    def measurements(self, clip: Clip) -> Measurements:
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
    assert row.beside == "plain synthesis 4.0 semitones, real 7.0"


def test_both_kinds_of_copies_have_to_keep_words() -> None:
    plan = Plan(("anna",), replace(QUICK, recordings=3), {"anna": RECORDED}, {}, {})
    copied, by_encoder, read = word_rows(Ears(), plan)  # type: ignore[arg-type]
    assert [row.estimate.value for row in (copied, by_encoder, read)] == pytest.approx([1 / 3, 2 / 3, 0])
    assert [row.verdict for row in (copied, by_encoder, read)] == ["**missed**", "**missed**", "aim reached"]
    assert [row.gate and row.gate.limit for row in (copied, by_encoder, read)] == pytest.approx([0.05, 0.05, 0.12])
    assert read.beside == "0.0 %, real 0.0 %; 3 sentences"


class SpeakerEar:
    """A direction for each voice, but one reading of `sam_a` is like `sam_b`, and another like `anna`."""

    directions: ClassVar = {"anna": [1.0, 0.0, 0.0], "sam_a": [0.0, 1.0, 0.0], "sam_b": [0.0, 0.0, 1.0]}
    mistaken: ClassVar = {"one": "sam_b", "two": "anna"}

    def score(self, judge: str, clip: Clip) -> list[float]:
        assert judge == "speaker"
        read_as_another = isinstance(clip, PlainSynthesis) and clip.voice == "sam_a"
        return self.directions[self.mistaken.get(clip.text, "sam_a") if read_as_another else clip.voice]


def test_who_is_taken_for_whom_is_told() -> None:
    recorded = {
        voice: tuple(Recording(Path(f"{voice}-{text}.wav"), voice, text) for text in ("one", "two", "three", "four"))
        for voice in ("anna", "sam_a", "sam_b")
    }
    plan = Plan(tuple(recorded), replace(QUICK, recordings=4), recorded, {}, {})
    cosine, voice, person = identity_rows(SpeakerEar(), plan)  # type: ignore[arg-type]
    assert [row.estimate.value for row in (cosine, voice, person)] == pytest.approx([-2 / 12, -2 / 12, -1 / 12])
    assert voice.beside == "plain synthesis 83.3 % (1 of sam_a as sam_b, 1 of sam_a as anna), real 100.0 %"
    assert person.beside == "plain synthesis 91.7 % (1 of sam as anna), real 100.0 %"
    assert voice.verdict == "**missed**"
