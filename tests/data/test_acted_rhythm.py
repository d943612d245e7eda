"""A rhythm is what sounds of one kind have in common, over takes whose phones are labelled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from latent_edit.data import acted_rhythm
from latent_edit.data.acted_rhythm import SharedSound
from latent_edit.data.takes import TakePair
from latent_edit.manners import SOUNDS, THIRDS
from latent_edit.models.rhythm import FRICATIVE, PLOSIVE, SONORANT, STRESSED, VOWEL

PHONES = ["_t", "!t", "tasp", "a\t1", "n", "s", "@", "."]
NOTHING: Any = None  # the clips are not read


@pytest.fixture
def pair(tmp_path: Path) -> TakePair:
    """In the styled take the stressed vowel lasts twice as long, and there is a pause before the last vowel."""

    def label(name: str, phones: list[str], seconds: list[float]) -> Path:
        starts = 0.1 + np.concatenate([[0], np.cumsum(seconds)])
        lines = [f"    {start:.6f}   -1 {phone}" for start, phone in zip(starts, phones, strict=True)]
        path = tmp_path / name
        path.write_text("\n".join(["signal a", "#", *lines]), encoding="latin-1")
        return path

    plain = label("plain", PHONES, [0.02, 0.02, 0.06, 0.1, 0.05, 0.1, 0.05])
    styled = label("styled", [*PHONES[:6], "(", *PHONES[6:]], [0.02, 0.02, 0.06, 0.2, 0.05, 0.1, 0.3, 0.05])
    return TakePair(NOTHING, NOTHING, "sad", None, (plain, styled))


def test_sounds_are_paired_and_pauses_are_none(pair: TakePair) -> None:
    found = acted_rhythm.shared_sounds(pair)
    assert [(x.kind, x.third) for x in found] == [
        (PLOSIVE, 0),
        (STRESSED, 1),
        (SONORANT, 1),
        (FRICATIVE, 2),
        (VOWEL, 2),
    ]
    assert [x.plain for x in found] == pytest.approx([0.1, 0.1, 0.05, 0.1, 0.05])
    assert [x.log_ratio for x in found] == pytest.approx([0, np.log(2), 0, 0, 0], abs=1e-6)
    assert acted_rhythm.shared_sounds(TakePair(NOTHING, NOTHING, "sad", None)) == []


def test_what_all_sounds_have_in_common_is_no_rhythm() -> None:
    sentence = [SharedSound(kind, third, 0.1, 0.2) for kind in range(len(SOUNDS)) for third in range(THIRDS)]
    assert np.allclose(acted_rhythm.learn([sentence] * 9), 0)
    longer = [x._replace(styled=0.4) if x.kind == VOWEL else x for x in sentence]
    rhythm = acted_rhythm.learn([longer] * 50)
    assert rhythm[VOWEL, 1] - rhythm[PLOSIVE, 1] == pytest.approx(np.log(2), rel=0.15)
    assert np.allclose(rhythm[VOWEL], rhythm[VOWEL, 0])


def test_a_predicted_sentence_has_the_pace_as_a_whole() -> None:
    rhythm = np.random.default_rng(0).normal(size=(len(SOUNDS), THIRDS))
    sentence = [SharedSound(kind, 1, 0.05 * (kind + 1), 0.1) for kind in range(len(SOUNDS))]
    logs = acted_rhythm.predicted(sentence, rhythm, 0.3)
    plain = np.array([x.plain for x in sentence])
    assert (plain * np.exp(logs)).sum() / plain.sum() == pytest.approx(np.exp(0.3))
    assert np.diff(logs) == pytest.approx(np.diff(rhythm[:, 1]))
