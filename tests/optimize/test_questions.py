"""Yes/no questions rise."""

from __future__ import annotations

import pytest
import torch

from latent_edit.editor import LatentEditor
from latent_edit.evaluation.questions import final_semitones, rising_share


@pytest.mark.shipped
def test_shipped_voices_ask(shipped_editor: LatentEditor) -> None:
    def end(text: str, voice: str) -> float:
        waveform = shipped_editor.say(text, voice).waveform
        found = final_semitones(waveform.item(0).numpy(), waveform.sampling_rate)
        assert found is not None
        return found

    for voice in shipped_editor.voices:
        assert end("Are you coming with us?", voice) > max(1.0, end("You are coming with us.", voice))


def test_shares_count_what_was_measured() -> None:
    assert rising_share([1.0, -1.0, None, 2.0]) == pytest.approx(2 / 3)
    assert rising_share([None]) is None
    assert final_semitones(torch.zeros(16000).numpy(), 16000) is None
