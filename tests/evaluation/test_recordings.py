"""The ways in which recordings are spoiled, and the table about them; the measuring itself needs a recogniser."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_speech import speech_like

from latent_edit.evaluation.recordings import CONDITIONS, RATE, Score, table
from latent_edit.evaluation.statistics import Observation
from latent_edit.recording import quality

SPEECH = speech_like(3.0)
OTHERS = [speech_like(2.0, pitch=pitch) for pitch in (100.0, 180.0, 210.0)]
BY_NAME = {condition.name: condition for condition in CONDITIONS}


@pytest.mark.parametrize("name", BY_NAME)
def test_a_condition_depends_on_its_seed_alone_and_leaves_speech(name: str) -> None:
    first, again, other = (
        BY_NAME[name].spoil(SPEECH, np.random.default_rng(seed), OTHERS) for seed in (1, 1, 2)
    )  # fmt: skip
    np.testing.assert_array_equal(first, again)
    assert np.isfinite(first).all()
    assert first.size == pytest.approx(SPEECH.size, rel=0.15)
    assert (name == "as recorded") == np.array_equal(first, other)
    assert quality(first, RATE).is_speech


@pytest.mark.parametrize(
    ("name", "snr_db"), [("white noise, 20 dB", 20), ("pink noise, 20 dB", 20), ("music, 10 dB", 10)]
)
def test_noise_is_as_loud_as_its_condition_says(name: str, snr_db: float) -> None:
    spoiled = BY_NAME[name].spoil(SPEECH, np.random.default_rng(0), OTHERS)
    active = SPEECH[np.abs(SPEECH) > 0.01].std()  # about the level while somebody speaks
    assert 20 * np.log10(active / (spoiled - SPEECH).std()) == pytest.approx(snr_db, abs=3.0)


def test_the_table_says_what_was_measured_and_what_was_not() -> None:
    scores = {
        "a stranger": Score(
            20, 0, [1, 1], [4, 4], [2, 0], [Observation(3, "a", "x", 10), Observation(3, "b", "x", 10)]
        ),
        "music, 10 dB": Score(20, 2, [1, 1], [2, 1], [], [Observation(1, "a", "x", 10), Observation(0, "b", "x", 10)]),
    }
    rows = table(scores, [BY_NAME[name] for name in scores]).splitlines()[2:]
    assert [cell.strip() for cell in rows[0].split("|")[1:-1]] == [
        "a stranger", "20", "10 %", "40 %", "10 %", "+30 points (+30 to +30)", "≤ 10: missed", "0 of 2",
    ]  # fmt: skip
    assert "| not measured | +5 points" in rows[1]
    assert "| none | 2 of 2 |" in rows[1]
